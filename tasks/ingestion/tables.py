"""Markdown tables."""

import re
from collections.abc import Sequence

_SPACE = re.compile(r"\s+")


def markdown_table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows of cells as a Markdown table; the first row is its head.

    Rows and columns without any text are left out. Empty if nothing is left.
    """
    cells = [[_cell(value) for value in row] for row in rows]
    filled = [row for row in cells if any(row)]
    width = max((len(row) for row in filled), default=0)
    padded = [row + [""] * (width - len(row)) for row in filled]
    used = [n for n in range(width) if any(row[n] for row in padded)]
    lines = [_line([row[n] for n in used]) for row in padded]
    return "\n".join([*lines[:1], _line(["---"] * len(used)), *lines[1:]]) if lines else ""


def _cell(value: str) -> str:
    return _SPACE.sub(" ", value).strip().replace("|", "\\|")


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
