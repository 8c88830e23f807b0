"""Rebuilds the rows of PDF tables whose cells run over several lines.

PDFium gives the lines of such cells one by one, at heights of their own. Columns are told
from the left edges in the table's first line; rows from the space between cells, which is
wider than the space between the lines of one cell.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tasks.ingestion.pdf_lines import Cell, PdfLine

# Cells of one column start at one place, give or take this many points; numbers set to the
# right start later, but end before the next column.
_SLACK = 3.0
# Lines within a cell stand 1.2 to 1.5 font sizes apart; between rows there is padding too.
_LINE_STEP = 1.6
# The widest step from one line of a table to the next, in font sizes.
_ROW_STEP = 4.0
# More lines in one cell than this mean rows without padding, which cannot be told apart.
_MOST_LINES = 6


@dataclass(frozen=True)
class _Group:
    """The lines of one cell."""

    column: int
    text: str
    top: float
    bottom: float


def rebuild_tables(lines: Sequence[PdfLine]) -> list[PdfLine]:
    """Return lines in which each row of a table is one line with a cell for every column."""
    rebuilt: list[PdfLine] = []
    position = 0
    while position < len(lines):
        end = _table_end(lines, position)
        table = lines[position:end]
        uneven = len({len(line.cells) for line in table}) > 1
        rebuilt += (_rows(table) if uneven else None) or table
        position = end
    return rebuilt


def _table_end(lines: Sequence[PdfLine], start: int) -> int:
    """Return where the table that starts at a line ends; the next line if none starts there."""
    edges = [cell.left for cell in lines[start].cells]
    end = last = start + 1
    if len(edges) < 2:
        return last
    while end < len(lines) and _belongs(lines[end], lines[end - 1], edges):
        end += 1
        if len(lines[end - 1].cells) > 1 or _is_wrapped(lines[end - 1], lines[end - 2]):
            last = end
    return last


def _belongs(line: PdfLine, before: PdfLine, edges: Sequence[float]) -> bool:
    step = abs(before.baseline - line.baseline)
    same_size = abs(line.size - before.size) < 0.6
    in_columns = all(_column(cell, edges) is not None for cell in line.cells)
    return same_size and in_columns and step < _ROW_STEP * line.size


def _is_wrapped(line: PdfLine, before: PdfLine) -> bool:
    return abs(before.baseline - line.baseline) < _LINE_STEP * line.size


def _column(cell: Cell, edges: Sequence[float]) -> int | None:
    """Return the column a cell lies in, or None if it crosses into the next one."""
    begun = [n for n, edge in enumerate(edges) if edge <= cell.left + _SLACK]
    if not begun:
        return None
    beyond = edges[begun[-1] + 1] if begun[-1] + 1 < len(edges) else float("inf")
    return begun[-1] if cell.right <= beyond else None


def _rows(table: Sequence[PdfLine]) -> list[PdfLine] | None:
    """Return a table's rows, or None if they cannot be told apart."""
    edges = [cell.left for cell in table[0].cells]
    groups = [group for n in range(len(edges)) for group in _groups(table, n, edges)]
    if any(group.text.count("\n") >= _MOST_LINES for group in groups):
        return None
    rows: list[list[_Group]] = []
    for group in sorted(groups, key=lambda group: -group.top):
        if rows and group.top > min(other.bottom for other in rows[-1]) - _SLACK:
            rows[-1].append(group)
        else:
            rows.append([group])
    return [_row(row, edges, table[0]) for row in rows]


def _groups(table: Sequence[PdfLine], column: int, edges: Sequence[float]) -> list[_Group]:
    """Return the cells of a column, their lines joined."""
    placed = [
        (line, cell)
        for line in sorted(table, key=lambda line: -line.baseline)
        for cell in line.cells
        if _column(cell, edges) == column
    ]
    groups: list[_Group] = []
    for line, cell in placed:
        if groups and groups[-1].bottom - line.baseline < _LINE_STEP * line.size:
            joined = f"{groups[-1].text}\n{cell.text}"
            groups[-1] = _Group(column, joined, groups[-1].top, line.baseline)
        else:
            groups.append(_Group(column, cell.text, line.baseline, line.baseline))
    return groups


def _row(row: Sequence[_Group], edges: Sequence[float], like: PdfLine) -> PdfLine:
    texts = {group.column: group.text.replace("\n", " ") for group in row}
    cells = tuple(Cell(texts.get(n, ""), edge, edge) for n, edge in enumerate(edges))
    return PdfLine(cells, max(group.top for group in row), like.size)
