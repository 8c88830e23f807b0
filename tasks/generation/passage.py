"""The text of a chunk as blocks (paragraphs, list items, table rows) and sentences.

Ingestion leaves Markdown-like text. Spans are character offsets in the chunk's text, so
that a row's evidence can be found again in its document.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal

from tasks.text.markup import plain as plain

BlockKind = Literal["heading", "paragraph", "item", "step", "row", "quote"]

_MARKERS: tuple[tuple[BlockKind, re.Pattern[str]], ...] = (
    ("heading", re.compile(r"#{1,6}\s+")),
    ("item", re.compile(r"[-*+]\s+")),
    ("step", re.compile(r"\d{1,3}[.)]\s+")),
    ("row", re.compile(r"(?=\|)")),
    ("quote", re.compile(r">\s?")),
)

_ABBREVIATIONS = (
    " e.g i.e etc vs mr mrs ms dr st no nos approx inc ltd fig dept gov jan feb mar apr jun jul "
    "aug sep sept oct nov dec u.s u.k a.m p.m cf al ext min max incl art sec para capt "
)

# Emoji and dingbats, with the marks that join and colour them.
PICTURE = r"[\U0001f000-\U0001faff\u2600-\u27bf\u2b00-\u2bff\ufe0f\u200d]"
EDGE_PICTURES = re.compile(rf"^(?:{PICTURE}|\s)+|(?:{PICTURE}|\s)+$")

# A block of code: its comments look like headings.
_FENCED = re.compile(r"^(```|~~~).*?(?:^\1|\Z)", re.DOTALL | re.MULTILINE)

_BOUNDARY = re.compile(r"[.!?][\"”’')\]*_]*\s+(?=[\"“‘'(\[*_]*[A-Z0-9])")


@dataclass(frozen=True)
class Span:
    """A piece of a chunk: its plain text and where it stands."""

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Block:
    """A paragraph, heading, list item, numbered step, table row or quoted line.

    Attributes:
        kind: What it is.
        raw: Its text as it stands, without the marker.
        start: Where it begins, marker included.
        end: Where it ends.
        indent: Spaces before the marker; more than none in a nested list.
    """

    kind: BlockKind
    raw: str
    start: int
    end: int
    indent: int = 0

    @cached_property
    def text(self) -> str:
        """The block without inline Markdown, on one line."""
        return plain(self.raw)


def parse_blocks(text: str) -> tuple[Block, ...]:
    """Split a chunk's text into its blocks; code fences are left out."""
    blocks: list[Block] = []
    fenced, open_block = False, False
    position = 0
    for line in text.splitlines(keepends=True):
        start, position = position, position + len(line)
        stripped = line.strip()
        if stripped.startswith("```"):
            fenced, open_block = not fenced, False
        elif not stripped or fenced:
            open_block = False
        elif open_block and blocks and _continues(stripped, blocks[-1]):
            blocks[-1] = _extended(blocks[-1], text, start + len(line.rstrip()))
        else:
            blocks.append(_opened(line, start))
            open_block = True
    return tuple(blocks)


def _marker(stripped: str) -> tuple[BlockKind, int]:
    for kind, pattern in _MARKERS:
        match = pattern.match(stripped)
        if match:
            return kind, match.end()
    return "paragraph", 0


def _continues(stripped: str, block: Block) -> bool:
    if block.kind in ("heading", "row"):
        return False
    return _marker(stripped)[0] == "paragraph"


def _opened(line: str, start: int) -> Block:
    stripped = line.strip()
    indent = len(line) - len(line.lstrip())
    kind, length = _marker(stripped)
    begin = start + indent
    return Block(kind, stripped[length:], begin, begin + len(stripped), indent)


def _extended(block: Block, text: str, end: int) -> Block:
    marker = len(text[block.start : block.end]) - len(block.raw)
    return Block(block.kind, text[block.start + marker : end], block.start, end, block.indent)


def sentences(text: str, block: Block) -> Iterator[Span]:
    """Yield the sentences of a block of `text`, with their spans in it."""
    start = block.end - len(block.raw)
    for match in _BOUNDARY.finditer(text, start, block.end):
        if _is_abbreviation(text[start : match.start() + 1]):
            continue
        end = match.start() + len(match[0].rstrip())
        yield Span(plain(text[start:end]), start, end)
        start = match.end()
    if start < block.end:
        yield Span(plain(text[start : block.end]), start, block.end)


def _is_abbreviation(before: str) -> bool:
    if not before.endswith("."):
        return False
    word = before[:-1].rsplit(None, 1)[-1].lstrip("(\"'“*_").lower() if before[:-1].strip() else ""
    # a single letter is an initial ("J. Smith"), a lone number a list marker
    return f" {word} " in _ABBREVIATIONS or (len(word) == 1 and word.isalpha())


def unnumbered(heading: str) -> str:
    """Return a heading without its number: "9. Galley rules"."""
    return re.sub(r"^\d+(?:\.\d+)*[.)]?\s+(?=[A-Z])", "", heading)


@lru_cache(maxsize=4)
def headings_of(document: str) -> Counter[str]:
    """Return how often each heading stands in a document, in plain small letters."""
    lines = _FENCED.sub("", document).splitlines()
    found = (line.lstrip("#").strip() for line in lines if line.startswith("#"))
    return Counter(unnumbered(plain(heading)).lower() for heading in found)
