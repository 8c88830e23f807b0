"""Brings the lines of a page that is set in columns into the order in which they are read."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from tasks.ingestion.pdf_lines import PdfLine, merge_rows

# The gutter lies in the middle half of the text's width.
_MARGIN = 0.25
# Columns of prose are filled: most of their lines reach this share of the column's width.
_FULL_LINE = 0.7
_SHARE_OF_FULL_LINES = 0.5
_CHARACTERS_OF_FULL_LINES = 20
_LEAST_LINES = 4
# Lines further apart than this many sizes begin a paragraph or a row of a table.
_LINE_STEP = 1.6
# If this share of the beginnings stands side by side, it is a table, not columns.
_TABLE_SHARE = 0.6
# Heads and feet are at most this many rows, set off by this many sizes.
_RUNNING_ROWS = 2
_RUNNING_GAP = 1.9
_SLACK = 2.0


def in_reading_order(lines: Sequence[PdfLine]) -> list[PdfLine] | None:
    """Return a page's lines column by column, or None if it is not set in columns.

    Lines of a column carry its right edge.

    Args:
        lines: The page's lines in PDFium's order, not merged to rows.
    """
    pieces = [replace(line, cells=(cell,)) for line in lines for cell in line.cells]
    head, body, foot = _without_running_rows(pieces)
    gutter = _gutter(body)
    if gutter is None:
        return None
    return [*_rows(head), *_columns(body, gutter), *_rows(foot)]


def _rows(pieces: Sequence[PdfLine]) -> list[PdfLine]:
    return merge_rows(sorted(pieces, key=lambda piece: (-round(piece.baseline), piece.left)))


def _columns(pieces: Sequence[PdfLine], gutter: float) -> Iterator[PdfLine]:
    """Yield pieces between the lines that cross the gutter, left of it before right of it."""
    left: list[PdfLine] = []
    right: list[PdfLine] = []
    for piece in sorted(pieces, key=lambda piece: (-round(piece.baseline), piece.left)):
        if _crosses(piece, gutter):
            yield from (*_column(left), *_column(right), piece)
            left, right = [], []
        else:
            (left if piece.right <= gutter + _SLACK else right).append(piece)
    yield from (*_column(left), *_column(right))


def _column(pieces: Sequence[PdfLine]) -> list[PdfLine]:
    """Return a column's lines; a column may be divided again."""
    gutter = _gutter(pieces)
    if gutter is not None:
        return list(_columns(pieces, gutter))
    edge = max((piece.right for piece in pieces), default=0.0)
    return [replace(line, edge=edge) for line in _rows(pieces)]


def _crosses(piece: PdfLine, gutter: float) -> bool:
    return piece.left < gutter - _SLACK and piece.right > gutter + _SLACK


def _gutter(pieces: Sequence[PdfLine]) -> float | None:
    """Return the place of the gutter between two columns of prose; None if there is none."""
    if len(pieces) < 2 * _LEAST_LINES:
        return None
    start = min(piece.left for piece in pieces)
    end = max(piece.right for piece in pieces)
    lowest, highest = start + _MARGIN * (end - start), end - _MARGIN * (end - start)
    # a gutter ends where some piece begins
    places = sorted({piece.left - _SLACK for piece in pieces if lowest < piece.left < highest})
    crossed = [sum(_crosses(piece, place) for piece in pieces) for place in places]
    best = min(crossed, default=len(pieces))
    for place, times in zip(places, crossed, strict=True):
        if times == best and _divides(pieces, place, start, end):
            return place
    return None


def _divides(pieces: Sequence[PdfLine], gutter: float, start: float, end: float) -> bool:
    aside = [piece for piece in pieces if not _crosses(piece, gutter)]
    left = [piece for piece in aside if piece.right <= gutter + _SLACK]
    right = [piece for piece in aside if piece.right > gutter + _SLACK]
    if not _is_prose(left, gutter - start) or not _is_prose(right, end - gutter):
        return False
    return not _is_table(_beginnings(left), _beginnings(right))


def _is_prose(pieces: Sequence[PdfLine], width: float) -> bool:
    rows = _rows(pieces)
    full = [row for row in rows if row.right - row.left >= _FULL_LINE * width]
    enough = len(full) >= max(_LEAST_LINES, _SHARE_OF_FULL_LINES * len(rows))
    characters = sum(len(row.text) for row in full)
    return enough and characters >= _CHARACTERS_OF_FULL_LINES * len(full)


def _beginnings(pieces: Sequence[PdfLine]) -> list[float]:
    """Return the baselines of the lines that more than the usual space lies above."""
    rows = _rows(pieces)
    return [
        after.baseline
        for before, after in pairwise(rows)
        if before.baseline - after.baseline > _LINE_STEP * after.size
    ]


def _is_table(left: Sequence[float], right: Sequence[float]) -> bool:
    """Whether cells begin side by side."""
    fewer, more = sorted((left, right), key=len)
    level = sum(any(abs(one - other) < _SLACK for other in more) for one in fewer)
    return len(fewer) > 1 and level >= _TABLE_SHARE * len(fewer)


def _without_running_rows(
    pieces: Sequence[PdfLine],
) -> tuple[list[PdfLine], list[PdfLine], list[PdfLine]]:
    """Divide a page into head, body and foot; the first and the last may be empty."""
    ordered = sorted(pieces, key=lambda piece: -piece.baseline)
    head = _running(ordered)
    foot = _running(ordered[::-1])
    if head + foot >= len(ordered):
        return [], ordered, []
    body_end = len(ordered) - foot
    return ordered[:head], ordered[head:body_end], ordered[body_end:]


def _running(ordered: Sequence[PdfLine]) -> int:
    """Return how many pieces at the page's edge are a few rows that a gap sets off."""
    rows = 1
    for n, (before, after) in enumerate(pairwise(ordered), start=1):
        step = abs(before.baseline - after.baseline)
        if step > _RUNNING_GAP * max(before.size, after.size):
            return n
        rows += step > _SLACK
        if rows > _RUNNING_ROWS:
            return 0
    return 0
