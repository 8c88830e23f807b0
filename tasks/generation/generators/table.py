"""Table cells and rows, looked up by the row's key."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from pydantic import Field

from data_contracts.base import digest
from tasks.generation.base import GENERATORS, Candidate, ChunkView, RuleGenerator
from tasks.generation.grammar import is_noun_phrase, is_plural
from tasks.generation.passage import Block, plain
from tasks.generation.wording import name_document

_RULE = re.compile(r"^\|?[\s:|\-]+\|?$")
_NUMERIC = re.compile(r"^\d[\d,]*$")
_CODE = re.compile(r"^\S*\d\S*$")

# Columns that say nothing about the row's subject.
_EMPTY = re.compile(
    r"^(?:no|nr|id|#|note|notes|remark|remarks|comments?|yes|no|x)\.?$", re.IGNORECASE
)


# Column names that are no nouns, or name too little to ask "what is the ... for".
_NO_NOUNS = frozenset(("due", "use", "done", "used", "valid", "resource(s)"))

_NOTHING = frozenset(("n/a", "na", "tbd", "nan", "yes", "no", "here", "link"))


@dataclass(frozen=True)
class _Table:
    """A table with the rows that one chunk holds.

    Attributes:
        header: Names of the columns.
        key: Position of the column that names the rows.
        rows: Cells of each row in the chunk, with its span.
    """

    header: tuple[str, ...]
    key: int
    rows: tuple[tuple[tuple[str, ...], Block], ...]


@GENERATORS.register
class TableGenerator(RuleGenerator):
    """Asks for a cell by its column and its row, and for a whole row."""

    generator: Literal["table"] = "table"
    cells_per_row: int = Field(2, description="Cells asked for in one row.", ge=1)
    longest_cell: int = Field(30, description="Longest cell asked for, in words.", ge=1)

    def generate(self, chunk: ChunkView) -> Iterator[Candidate]:
        """Yield candidates for the rows of tables whose header is known."""
        for table in _tables(chunk):
            for cells, block in table.rows:
                if len(cells) == len(table.header) and _is_key(cells[table.key]):
                    yield from self._row(chunk, table, cells, block)

    def _row(
        self, chunk: ChunkView, table: _Table, cells: Sequence[str], block: Block
    ) -> Iterator[Candidate]:
        key, place = cells[table.key], _place(chunk)
        named = [
            (column, value)
            for n, (column, value) in enumerate(zip(table.header, cells, strict=True))
            if n != table.key and column and _is_value(value)
        ]
        usable = [pair for pair in named if len(pair[1].split()) <= self.longest_cell]
        usable = [pair for pair in usable if not _EMPTY.match(pair[0])]
        for column, value in sorted(usable, key=digest)[: self.cells_per_row]:
            question = name_document(_ask(column, key, value), place)
            if question:
                yield Candidate("table", question, value, block.start, block.end)
        if len(named) >= 3 and not _CODE.match(key):
            question = name_document(f'what does the table say about "{key}"?', place)
            answer = "; ".join(f"{column}: {value}" for column, value in named)
            if question and len(answer.split()) <= 2 * self.longest_cell:
                yield Candidate("table_row", question, answer, block.start, block.end)


def _tables(chunk: ChunkView) -> Iterator[_Table]:
    """Yield the tables of a chunk whose header stands in it or above it in the document."""
    for is_row, run in groupby(chunk.blocks, key=lambda block: block.kind == "row"):
        blocks = list(run)
        if not is_row:
            continue
        lines = chunk.table_lines(blocks[0].start, blocks[-1].end)
        if len(lines) < 3 or not _RULE.match(lines[1].strip()):
            continue
        header = tuple(name.replace("_", " ") for name in _cells(lines[0]))
        body = [_cells(line) for line in lines[2:]]
        key = _key_column(header, body)
        own = [b for b in blocks if not _RULE.match(b.raw) and _cells(b.raw) != _cells(lines[0])]
        if key is not None and _is_header(header):
            yield _Table(header, key, tuple((_cells(b.raw), b) for b in own))


def _is_header(header: Sequence[str]) -> bool:
    """Whether the first row names columns; in tables made for layout it is content."""
    short = all(0 < len(name) <= 40 and len(name.split()) <= 6 for name in header)
    plain_names = not any(re.search(r"[@•:]|https?|\d{3}", name) for name in header)
    titles = any(len(name.split()) > 4 and name.istitle() for name in header)
    return (
        len(header) > 1 and short and plain_names and not titles and len(set(header)) == len(header)
    )


def _key_column(header: Sequence[str], body: Sequence[Sequence[str]]) -> int | None:
    """Return the first column that names the rows: words, and each of them once."""
    for position in range(min(2, len(header))):
        values = [row[position] for row in body if len(row) == len(header)]
        codes = sum(_CODE.match(value) is not None for value in values)
        if values and len(set(values)) == len(values) and codes <= len(values) / 2:
            return position
    return None


def _cells(raw: str) -> tuple[str, ...]:
    inner = raw.strip().removeprefix("|").removesuffix("|")
    return tuple(plain(cell) for cell in re.split(r"(?<!\\)\|", inner))


def _is_key(text: str) -> bool:
    return (
        2 < len(text) <= 60
        and not text.startswith("@ ")
        and '"' not in text
        and re.search(r"[A-Za-z]", text) is not None
    )


def _is_value(text: str) -> bool:
    """Whether a cell says something by itself."""
    return re.search(r"\w\w|\d", text) is not None and text.lower() not in _NOTHING


def _place(chunk: ChunkView) -> str:
    """Return what names the table: its heading with the document, or the document."""
    heading = chunk.heading.rstrip(":")
    both = f"{chunk.name}: {heading}"
    return chunk.name if heading == chunk.name or heading.endswith("?") or len(both) > 80 else both


def _ask(column: str, key: str, value: str) -> str:
    column = column.capitalize() if column.isupper() and len(column) > 3 else column
    noun = column[0].lower() + column[1:] if column[1:].islower() or not column[1:] else column
    if not is_noun_phrase(column, longest=7) or re.search(r"\d|_", column) or noun in _NO_NOUNS:
        return f'what stands under "{column}" for "{key}"?'
    if is_plural(column) and column.endswith("s"):
        if _NUMERIC.match(value):
            return f"how many {noun} are given for {key}?"
        return f"what are the {noun} for {key}?"
    return f"what is the {noun} for {key}?"
