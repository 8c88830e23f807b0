"""A passage as the pieces that a claim can rest on: sentences, list items, table rows."""

import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

from tasks.grounding.claims import content_sequence
from tasks.text.markup import plain

_LINE_MARK = re.compile(r"^\s*(?:#{1,6}\s+|[-*+]\s+|\d{1,3}[.)]\s+|>\s?)")
_TABLE_RULE = re.compile(r"^\|?[\s:|\-]+\|?$")
_SENTENCE_END = re.compile(r"(?<=[.!?;])[\"”’')\]]*\s+(?=[\"“‘'(\[]*[A-Z0-9])")

# Words in a heading that is not marked as one.
_LONGEST_HEADING = 8

# What stands between the cells in the text of a table's row.
BETWEEN_CELLS = " , "


@dataclass(frozen=True)
class Unit:
    """One piece of a passage.

    Attributes:
        text: The piece without markup.
        lead: What stands over it and belongs to it: the sentence that opens a list, the
            header of a table, the question that it answers.
        item: Whether it is a list item.
        cells: Its cells if it is a table's row.
    """

    text: str
    lead: str = ""
    item: bool = False
    cells: tuple[str, ...] = ()

    @cached_property
    def words(self) -> frozenset[str]:
        """Stems of the words that carry meaning, those of `lead` included."""
        return frozenset(content_sequence(f"{self.lead} . {self.text}"))

    @property
    def header(self) -> tuple[str, ...]:
        """The names of a row's columns, one a cell; empty where they do not fit the cells."""
        names = tuple(self.lead.split(BETWEEN_CELLS))
        return names if self.cells and len(names) == len(self.cells) else ()

    @cached_property
    def own_words(self) -> frozenset[str]:
        """Stems of the piece alone."""
        return frozenset(content_sequence(self.text))


@dataclass(frozen=True)
class Passage:
    """The units of a passage, and what a word in it is worth.

    Attributes:
        units: Its pieces in order.
        title: Title and headings as one text.
    """

    units: tuple[Unit, ...]
    title: str

    @cached_property
    def weights(self) -> dict[str, float]:
        """Inverse document frequency of each word over the units."""
        counts = Counter(word for unit in self.units for word in unit.words)
        total = len(self.units) + 1
        return {word: math.log(1 + total / count) for word, count in counts.items()}

    def weight(self, words: frozenset[str] | set[str]) -> float:
        """Return what a set of words is worth; words from elsewhere count as nothing."""
        return sum(self.weights.get(word, 0.0) for word in words)

    def nearest(self, words: frozenset[str] | set[str]) -> Unit | None:
        """Return the unit that shares the most with a set of words, the shortest of equals."""
        if not self.units:
            return None
        best = max(self.units, key=lambda u: (self.weight(words & u.own_words), -len(u.own_words)))
        return best if words & best.own_words else None


@lru_cache(maxsize=256)
def parse_passage(text: str, title: str = "") -> Passage:
    """Cut a passage into units.

    Args:
        text: Markdown-like text.
        title: Title and headings as one text.
    """
    return Passage(tuple(_units(text)), title)


def _units(text: str) -> Iterator[Unit]:
    """Yield sentences, items and rows, each with what stands over it."""
    lead, asked, header, topic = "", "", "", ""
    opened = False
    for paragraph in _paragraphs(text):
        if paragraph.startswith("|"):
            cells = _cells(paragraph)
            if header and not _TABLE_RULE.match(paragraph):
                yield Unit(BETWEEN_CELLS.join(cells), header, cells=cells)
            header = header or BETWEEN_CELLS.join(cells)
            continue
        header = ""
        mark = _LINE_MARK.match(paragraph)
        heading = mark is not None and "#" in mark[0]
        item = mark is not None and not heading and ">" not in mark[0]
        opened, lead, asked = (
            opened or item,
            "" if heading or (opened and not item) else lead,
            "" if heading else asked,
        )
        heading = heading or (not item and _is_heading(paragraph))
        topic = "" if heading else topic
        for sentence in split_sentences(plain(_LINE_MARK.sub("", paragraph))):
            asked = "" if sentence.endswith("?") else asked
            yield Unit(sentence, (lead if item else asked) or topic, item)
            topic = sentence if heading else topic
            asked = sentence if sentence.endswith("?") else asked
            if sentence.endswith(":") and not item:
                lead, opened = sentence, False


def _is_heading(paragraph: str) -> bool:
    """Whether a line without a mark is one: a few words that end in no punctuation."""
    return len(paragraph.split()) <= _LONGEST_HEADING and paragraph[-1:].isalnum()


def _cells(row: str) -> tuple[str, ...]:
    inner = row.strip().removeprefix("|").removesuffix("|")
    return tuple(plain(cell) for cell in re.split(r"(?<!\\)\|", inner))


def _paragraphs(text: str) -> Iterator[str]:
    """Yield lines joined where one goes on in the next."""
    current = ""
    for line in text.splitlines():
        stripped = line.strip()
        begins = _LINE_MARK.match(line) or stripped.startswith("|")
        if not stripped or begins or current.lstrip().startswith(("|", "#")):
            if current:
                yield current
            current = stripped
        else:
            current = f"{current} {stripped}".strip()
    if current:
        yield current


def split_sentences(text: str) -> list[str]:
    """Return the sentences of a text on one line; an abbreviation may cut one in two."""
    return [piece for piece in (p.strip() for p in _SENTENCE_END.split(text)) if piece]
