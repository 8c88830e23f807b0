"""Table cells and rows, looked up by the row's key."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Literal

from pydantic import Field

from data_contracts.base import digest
from tasks.generation.base import GENERATORS, Candidate, ChunkView, RuleGenerator
from tasks.generation.grammar import is_noun_phrase, is_plural, is_third_person
from tasks.generation.headers import names_columns
from tasks.generation.lists import readable
from tasks.generation.passage import Block
from tasks.generation.screen import screened
from tasks.generation.sections import place
from tasks.generation.vocabulary import MONTH, word_set
from tasks.generation.wording import choose, content_words, name_document

_RULE = re.compile(r"^\|?[\s:|\-]+\|?$")
_NUMERIC = re.compile(r"^\d[\d,]*$")
_FIGURE = re.compile(r"(?:EUR|USD|GBP|[$€£~<>])? ?\d")

# Names of columns that are measures: what a figure stands for is then said.
_MEASURE = re.compile(
    r"\b(?:price|cost|fee|fare|rate|age|length|weight|depth|width|height|number|year|date|day|time|"
    r"region|code|limit|minimum|maximum|amount|total|value|speed|distance|percentage|share|size|"
    r"capacity|duration|phone|telephone|version|level|room|floor|deadline|salary|budget|built|area|"
    r"period|expiry|target|answer|ship|address|url|link|score|count|hour|timeline|space)\b",
    re.IGNORECASE,
)
_CODE = re.compile(r"^\S*\d\S*$")
_DATE = re.compile(
    r"\d{1,4}[-/.]\d|^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\b|"
    rf"^(?:\d{{1,2}} )?{MONTH}\b|^(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\.? \d"
)

# Columns that say nothing about the row's subject.
_EMPTY = re.compile(
    r"^(?:resources?(?:\(s\))?|links?|no|nr|id|#|note|notes|remark|remarks|comments?|yes|no|x|item|items|what|name)\.?$",
    re.IGNORECASE,
)

# Column names that are no nouns, or name too little to ask "what is the ... for".
_NO_NOUNS = word_set(
    "due use done used valid resource(s) what how who when where why done? when? helps applies "
    "type text topic delivers owns provides serves"
)

_NOTHING = frozenset(("n/a", "na", "tbd", "nan", "yes", "no", "here", "link", "none", "see above"))
# Where a line break was: a small word that begins big within a cell.
_RUN_ON = re.compile(r"[a-z] (?:An?|Our|The|This|These|Your|It|We)\s")
# A key names a thing; a sentence tells.
_SENTENCE = re.compile(r"(?:\S+ ){3,}\S*\w{2}[.!]$|:$")
_NO_KEYS = frozenset(("total", "totals", "sum", "average", "subtotal", "grand total", "other"))

# Nouns that numbers count; a number under another plural may be a code.
_COUNTED = re.compile(r"^(?:number of )?[a-z][a-z ]*s$", re.IGNORECASE)
_LARGEST_COUNT = 999  # larger bare numbers are years, codes or identifiers as often as counts


# Columns whose cells say where to read on, where they are links.
_POINTS = re.compile(
    r"\b(?:details?|info\w*|guidance|guides?|documentation|docs?|references?|sources?)\b",
    re.IGNORECASE,
)

# Columns of which cells hold several things that plain text runs together.
_LINKS = re.compile(r"^(?:resources?(?:\(s\))?|links?)$", re.IGNORECASE)


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

    @cached_property
    def repeated(self) -> frozenset[str]:
        """Return the words that stand in several cells."""
        counts = Counter(value for cells, _ in self.rows for value in cells)
        return frozenset(value for value, count in counts.items() if count > 1)

    @cached_property
    def figures(self) -> frozenset[str]:
        """Return the columns that hold figures in one of the rows at least."""
        cells = [zip(self.header, cells, strict=False) for cells, _ in self.rows]
        return frozenset(name for row in cells for name, value in row if _FIGURE.match(value))


@GENERATORS.register
class TableGenerator(RuleGenerator):
    """Asks for a cell by its column and its row, and for a whole row."""

    generator: Literal["table"] = "table"
    cells_per_row: int = Field(2, description="Cells asked for in one row.", ge=1)
    longest_cell: int = Field(30, description="Longest cell asked for, in words.", ge=1)

    def generate(self, chunk: ChunkView) -> Iterator[Candidate]:
        """Yield candidates for the rows of tables whose header is known."""
        return screened(chunk, self._candidates(chunk))

    def _candidates(self, chunk: ChunkView) -> Iterator[Candidate]:
        for table in _tables(chunk):
            for cells, block in table.rows:
                if len(cells) == len(table.header) and _is_key(cells[table.key]):
                    yield from self._row(chunk, table, cells, block)

    def _row(
        self, chunk: ChunkView, table: _Table, cells: Sequence[str], block: Block
    ) -> Iterator[Candidate]:
        key, where = cells[table.key], place(chunk)
        named = [
            (column, value)
            for n, (column, value) in enumerate(zip(table.header, cells, strict=True))
            if n != table.key and column and _says_something(column, value)
            if not (value in chunk.links and (value in table.repeated or _leads_on(column, value)))
        ]
        usable = [pair for pair in named if len(pair[1].split()) <= self.longest_cell]
        usable = [pair for pair in usable if not _EMPTY.match(pair[0])]
        usable = [pair for pair in usable if not re.search(r"[a-z]\d$", pair[0])]
        for column, value in sorted(usable, key=digest)[: self.cells_per_row]:
            question = name_document(_ask(column, key, value, table.figures), where)
            if question:
                yield Candidate("table", question, value, block.start, block.end)
        answer = "; ".join(f"{column}: {value}" for column, value in named)
        whole = not any(_LINKS.match(column) for column in table.header)
        if whole and len(named) >= 3 and len(answer.split()) <= 2 * self.longest_cell:
            question = name_document(_ask_row(key), where)
            if question:
                yield Candidate("table_row", question, answer, block.start, block.end)


def _tables(chunk: ChunkView) -> Iterator[_Table]:
    """Yield the tables of a chunk whose header stands in it or above it in the document."""
    for is_row, run in groupby(chunk.blocks, key=lambda block: block.kind == "row"):
        blocks = list(run)
        if not is_row:
            continue
        lines = chunk.table_lines(blocks[0].start, blocks[-1].end)
        # a key tells rows apart: one row alone has none
        if len(lines) < 4 or not _RULE.match(lines[1].strip()) or "](" in lines[0]:
            continue
        header = tuple(name.replace("_", " ").rstrip(":") for name in _cells(lines[0]))
        body = [_cells(line) for line in lines[2:]]
        key = _key_column(header, body)
        own = [b for b in blocks if not _RULE.match(b.raw) and _cells(b.raw) != _cells(lines[0])]
        if key is not None and names_columns(header, body, chunk.links):
            yield _Table(header, key, tuple((_cells(b.raw), b) for b in own))


def _key_column(header: Sequence[str], body: Sequence[Sequence[str]]) -> int | None:
    """Return the first column that names the rows: words, each of them once, no dates."""
    for position in range(min(2, len(header))):
        values = [row[position] for row in body if len(row) == len(header)]
        codes = sum(_CODE.match(v) is not None or _DATE.search(v) is not None for v in values)
        if values and len(set(values)) == len(values) and codes <= len(values) / 2:
            return position
    return None


def _cells(raw: str) -> tuple[str, ...]:
    inner = raw.strip().removeprefix("|").removesuffix("|")
    return tuple(readable(cell).rstrip("*") for cell in re.split(r"(?<!\\)\|", inner))


def _is_key(text: str) -> bool:
    return (
        2 < len(text) <= 60
        and not text.startswith("@ ")
        and not re.search(r"[\";]", text)
        and text.lower() not in _NO_KEYS
        and not _SENTENCE.search(text)
        and not _RUN_ON.search(text)
        and re.search(r"[A-Za-z]{2}", text) is not None
    )


def _leads_on(column: str, value: str) -> bool:
    """Whether a link says no more than its column, that there is something to read: "Guide"."""
    return _POINTS.search(column) is not None or content_words(value) <= content_words(column)


def _says_something(column: str, value: str) -> bool:
    """Whether a cell says something by itself."""
    said = re.search(r"\w\w|\d", value) is not None and value.lower() not in _NOTHING
    if " * " in value:
        return False  # items of a list, joined
    return said and value.lower() != column.lower() and not re.search(r"[a-z.][A-Z][a-z]+ ", value)


def _ask(column: str, key: str, value: str, figures: Set[str]) -> str:
    unclear = column in figures and not (is_plural(column) or _MEASURE.search(column))
    column = column.capitalize() if column.isupper() and len(column) > 3 else column
    noun = column[0].lower() + column[1:] if column[1:].islower() or not column[1:] else column
    if (
        unclear
        or not is_noun_phrase(column, longest=7)
        or re.search(r"[\d_(]", column)
        or _is_no_noun(noun)
    ):
        entry = choose(key + column, "stands", "is given")
        return f'what {entry} under "{column}" for "{key}"?'
    if is_plural(column) and column.endswith("s"):
        if not noun.islower():
            return f'what stands under "{column}" for "{key}"?'
        if not _NUMERIC.match(value):
            return f'what are the {noun} for "{key}"?'
        if _COUNTED.match(column) and int(value.replace(",", "")) <= _LARGEST_COUNT:
            return f'how many {noun} are given for "{key}"?'
        return f'what stands under "{column}" for "{key}"?'
    wording = choose(key + column, "what is the {} for {}?", "which {} is given for {}?")
    if re.search(r"['’]s\b", noun):
        wording = "what is the {} for {}?"
    return wording.format(noun, f'"{key}"')


def _is_no_noun(noun: str) -> bool:
    verb = " " not in noun and is_third_person(noun) and noun not in ("costs", "steps")
    return verb or noun in _NO_NOUNS or noun.split()[0] in _NO_NOUNS or noun.endswith(("ed", "?"))


def _ask_row(key: str) -> str:
    return choose(
        key,
        f'what does the table say about "{key}"?',
        f'what does the table give for "{key}"?',
        f'which entries does the table hold for "{key}"?',
    )
