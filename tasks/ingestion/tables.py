"""Tables: Markdown's form, and the delimiter of rows in text."""

import csv
import re
from collections.abc import Sequence

# In the order of preference: commas also stand within numbers, and in prose.
_DELIMITERS = "\t;|,"
_SAMPLE_CHARACTERS = 50_000
_SAMPLE_LINES = 200
# Notes above and below a table have other lengths than its rows.
_LEAST_SHARE = 0.8

_SPACE = re.compile(r"\s+")


def markdown_table(rows: Sequence[Sequence[str]], headed: bool = True) -> str:
    """Return rows of cells as a Markdown table.

    Rows and columns without any text are left out. Empty if nothing is left.

    Args:
        rows: The cells.
        headed: Whether the first row is the head; else an empty one is put above it, since
            Markdown has no table without.
    """
    cells = [[_cell(value) for value in row] for row in rows]
    filled = [row for row in cells if any(row)]
    width = max((len(row) for row in filled), default=0)
    padded = [row + [""] * (width - len(row)) for row in filled]
    used = [n for n in range(width) if any(row[n] for row in padded)]
    lines = [_line([row[n] for n in used]) for row in padded]
    if lines and not headed:
        lines = [_line([""] * len(used)), *lines]
    return "\n".join([*lines[:1], _line(["---"] * len(used)), *lines[1:]]) if lines else ""


def find_delimiter(text: str) -> str:
    """Return the delimiter of rows of at least two columns, nearly all of one length.

    Empty if the text is no such rows.
    """
    lines = text[:_SAMPLE_CHARACTERS].splitlines()[:_SAMPLE_LINES]
    fits = [(_fit(lines, delimiter), delimiter) for delimiter in _DELIMITERS]
    # max keeps the first of equals
    (share, columns), best = max(fits, key=lambda fit: fit[0])
    return best if columns >= 2 and share >= _LEAST_SHARE else ""


def _fit(lines: Sequence[str], delimiter: str) -> tuple[float, int]:
    """Return the share of rows that have the usual number of columns, and that number."""
    try:
        rows = csv.reader(lines, delimiter=delimiter, skipinitialspace=True)
        lengths = [len(row) for row in rows if row]
    except csv.Error:
        return 0.0, 0
    usual = max(set(lengths), key=lengths.count, default=0)
    return (lengths.count(usual) / len(lengths), usual) if usual >= 2 else (0.0, usual)


def _cell(value: str) -> str:
    return _SPACE.sub(" ", value).strip().replace("|", "\\|")


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
