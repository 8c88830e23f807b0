"""Whether the first row of a table is a header, or a row like those below it."""

import re
from collections.abc import Sequence, Set

from tasks.generation.vocabulary import MONTH

_DATED = re.compile(rf"\b{MONTH} \d|\b\d{{1,2}} {MONTH}\b|^[$€£]?\d")

# Sorts of values that tell a header from what stands below it; words are no sort.
_SORTS = (
    re.compile(r"https?://|www\.|\S+@\S+\.\w+$"),
    re.compile(r"[@#/~.$-]?[\w.-]*[\w-][/_.@#]\S*$|[@#]\S+$|--?[a-z]\S*$"),
    re.compile(r"[$€£]?\d[\d.,%]*\b"),
    re.compile(r"(?:yes|no|true|false|y|n|x|✓|✔|✗|✅|❌|n/a)$", re.IGNORECASE),
)


def names_columns(
    header: Sequence[str], body: Sequence[Sequence[str]], links: Set[str] = frozenset()
) -> bool:
    """Whether the first row is a header.

    Args:
        header: Its cells.
        body: The rows below it.
        links: Words that are links; those in cells are often their column's name.
    """
    if not _is_header(header):
        return False
    told = [["" if cell in links else cell for cell in row] for row in body]
    return not (_is_layout(header, body) or _is_first_of_many(header, told))


def _is_header(header: Sequence[str]) -> bool:
    """Whether the first row names columns; in tables made for layout it is content."""
    short = all(0 < len(name) <= 40 and len(name.split()) <= 6 for name in header)
    plain_names = not any(_DATED.search(name) for name in header) and not any(
        re.search(r"[@•;\[]|: |https?|\d{3}|[.!]$", name) for name in header
    )
    titles = any(sum(word[:1].isupper() for word in name.split()) > 3 for name in header)
    return (
        len(header) > 1 and short and plain_names and not titles and len(set(header)) == len(header)
    )


def _is_layout(header: Sequence[str], body: Sequence[Sequence[str]]) -> bool:
    """Whether the first row is one of many like it: its cells end as those below them do."""
    last = {name.split()[-1].lower() for name in header}
    cells = [cell for row in body for cell in row if cell]
    same = sum(cell.split()[-1].lower() in last for cell in cells)
    return same > len(cells) / 2


def _is_first_of_many(header: Sequence[str], body: Sequence[Sequence[str]]) -> bool:
    """Whether the first row is a row like those below it, and no header.

    So it is where a table of keys and values, or one without names for its columns, was written
    in Markdown, which makes a header of any first row. Its cells then are what the cells below
    them are: of a sort that no name has (an address, a path, a figure, yes or no), or one of them.
    """
    rows = [row for row in body if len(row) == len(header)]
    columns = list(zip(header, zip(*rows, strict=True), strict=True)) if rows else []
    return any(_is_like(name, cells) for name, cells in columns)


def _is_like(name: str, cells: Sequence[str]) -> bool:
    """Whether a header's cell is of the sort of the cells below it."""
    filled = [cell for cell in cells if cell]
    others = {cell.lower() for cell in filled}
    if name.lower() in others and len(others) > 1:  # a column that only repeats its name is none
        return True
    return any(
        sort.match(name) and 2 * sum(sort.match(cell) is not None for cell in filled) > len(filled)
        for sort in _SORTS
    )
