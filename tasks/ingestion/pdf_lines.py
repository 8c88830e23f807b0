"""Reads the lines of a PDF page with their places and sizes, from pypdfium2's raw interface.

pypdfium2's own text functions give lines without geometry, and with it go paragraphs,
headings and table cells.
"""

import ctypes
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

# Gaps within a line wider than this many font sizes divide cells; words stand 0.25 apart,
# in justified text up to about 0.6.
_CELL_GAP = 1.5
_WORD_GAP = 0.12
# PDFium puts one of these in the place of a hyphen and the line's end that follows it.
_LINE_END_HYPHENS = ("\x02", "\ufffe")


@dataclass(frozen=True)
class Cell:
    """A stretch of text without wide gaps."""

    text: str
    left: float
    right: float


@dataclass(frozen=True)
class PdfLine:
    """One line; all measures in points, the origin at the page's lower left.

    Attributes:
        cells: Its stretches of text, from left to right.
        baseline: Where its letters stand.
        size: Of its font.
        edge: The right edge of its column; None if the page has no columns.
    """

    cells: tuple[Cell, ...]
    baseline: float
    size: float
    edge: float | None = None

    @property
    def text(self) -> str:
        """The whole line."""
        return " ".join(cell.text for cell in self.cells if cell.text)

    @property
    def left(self) -> float:
        """Where it starts."""
        return self.cells[0].left

    @property
    def right(self) -> float:
        """Where it ends."""
        return self.cells[-1].right


@dataclass(frozen=True)
class _Glyph:
    text: str
    left: float
    right: float
    baseline: float
    size: float


def page_lines(page: Any) -> list[PdfLine]:
    """Return the lines of a `pypdfium2.PdfPage` in PDFium's order, as they stand in the file.

    They are not merged to rows: see `merge_rows`.

    Raises:
        pypdfium2.PdfiumError: The page cannot be read.
    """
    text_page = page.get_textpage()
    try:
        return [_line(glyphs) for glyphs in _glyph_lines(text_page)]
    finally:
        text_page.close()
        page.close()


def _glyph_lines(text_page: Any) -> Iterator[list[_Glyph]]:
    """Yield the glyphs of each line; a space is part of the glyph before it."""
    import pypdfium2.raw as pdfium

    glyphs: list[_Glyph] = []
    for index in range(text_page.count_chars()):
        character = chr(pdfium.FPDFText_GetUnicode(text_page, index))
        if character in _LINE_END_HYPHENS:
            yield [*glyphs, _glyph(text_page, index, "-")]
            glyphs = []
        elif character in "\r\n":
            if glyphs:
                yield glyphs
            glyphs = []
        elif not character.isspace():
            glyphs.append(_glyph(text_page, index, character))
        elif glyphs:
            last = glyphs[-1]
            glyphs[-1] = _Glyph(f"{last.text} ", last.left, last.right, last.baseline, last.size)
    if glyphs:
        yield glyphs


def _glyph(text_page: Any, index: int, character: str) -> _Glyph:
    import pypdfium2.raw as pdfium

    left, _, right, _ = text_page.get_charbox(index, loose=True)
    x, y = ctypes.c_double(), ctypes.c_double()
    pdfium.FPDFText_GetCharOrigin(text_page, index, x, y)
    # the font's own size counts in units of the text matrix, which many programs scale
    matrix = pdfium.FS_MATRIX()
    pdfium.FPDFText_GetMatrix(text_page, index, matrix)
    size = pdfium.FPDFText_GetFontSize(text_page, index) * math.hypot(matrix.c, matrix.d)
    return _Glyph(character, left, right, y.value, size)


def _line(glyphs: list[_Glyph]) -> PdfLine:
    cells: list[list[_Glyph]] = [[glyphs[0]]]
    for glyph in glyphs[1:]:
        if glyph.left - cells[-1][-1].right > _CELL_GAP * glyph.size:
            cells.append([])
        cells[-1].append(glyph)
    middle = len(glyphs) // 2
    return PdfLine(
        cells=tuple(_cell(cell) for cell in cells),
        baseline=sorted(glyph.baseline for glyph in glyphs)[middle],
        size=round(sorted(glyph.size for glyph in glyphs)[middle], 1),
    )


def _cell(glyphs: list[_Glyph]) -> Cell:
    text = "".join(glyph.text for glyph in glyphs)
    return Cell(" ".join(text.split()), glyphs[0].left, glyphs[-1].right)


def merge_rows(lines: Sequence[PdfLine]) -> list[PdfLine]:
    """Join lines on one baseline: PDFium ends a line where a column, or only a run, ends."""
    merged: list[PdfLine] = []
    for line in lines:
        before = merged[-1] if merged else None
        if before and _on_one_row(before, line):
            merged[-1] = PdfLine(_side_by_side(before, line), before.baseline, before.size)
        else:
            merged.append(line)
    return merged


def _on_one_row(before: PdfLine, line: PdfLine) -> bool:
    level = abs(before.baseline - line.baseline) < line.size * 0.2
    return level and line.left - before.right > -_WORD_GAP * line.size


def _side_by_side(before: PdfLine, line: PdfLine) -> tuple[Cell, ...]:
    gap = (line.left - before.right) / line.size
    if gap > _CELL_GAP:
        return (*before.cells, *line.cells)
    last, first = before.cells[-1], line.cells[0]
    space = " " if gap > _WORD_GAP else ""
    joined = Cell(f"{last.text}{space}{first.text}", last.left, first.right)
    return (*before.cells[:-1], joined, *line.cells[1:])
