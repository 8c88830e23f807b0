"""Rebuilds paragraphs, lists and tables from lines, as they come from PDF and plain text."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tasks.ingestion.tables import markdown_table

_BULLET = re.compile(r"^\s*[•‣◦▪●○·*\-]\s+(?=\S)")
_NUMBER = re.compile(r"^\s*\(?(\d{1,3}|[a-z])[.)]\s+(?=\S)")
_HYPHEN_END = re.compile(r"(\w+)[-\u00ad\u2010\x02\ufffe]$")
_FIRST_WORD = re.compile(r"\S+")
_WORD = re.compile(r"\w+(?:-\w+)*")


@dataclass(frozen=True)
class Line:
    """One line of a document.

    Attributes:
        cells: Its texts; more than one if wide gaps divide it, as in a table.
        left: Where it starts, in `unit`s or points.
        right: Where it ends.
        edge: Where the lines around it end that are full; infinity if no line is wrapped.
        unit: Mean width of a character.
        gap: Whether more than the usual space lies above it.
        heading: Its level as a heading, 0 for none.
    """

    cells: tuple[str, ...]
    left: float
    right: float
    edge: float
    unit: float
    gap: bool = False
    heading: int = 0

    @property
    def text(self) -> str:
        """The whole line."""
        return " ".join(self.cells)


def vocabulary(lines: Sequence[Line]) -> frozenset[str]:
    """Return the words of a document in lower case, compounds with their hyphens."""
    return frozenset(word for line in lines for word in _WORD.findall(line.text.lower()))


def is_list_item(text: str) -> bool:
    """Whether a line opens a list item."""
    return bool(_BULLET.match(text) or _NUMBER.match(text))


def _opens_item(line: Line) -> bool:
    return not line.heading and is_list_item(line.text)


def to_markdown(lines: Sequence[Line], words: frozenset[str]) -> str:
    """Return lines as Markdown: wrapped lines joined, tables and list items marked.

    Args:
        lines: The lines in reading order.
        words: The document's vocabulary; it decides whether a hyphen at a line's end stays.
    """
    blocks: list[str] = []
    position = 0
    while position < len(lines):
        taken, block = _table(lines, position) or _paragraph(lines, position, words)
        follows_item = bool(blocks) and is_list_item(blocks[-1].rsplit("\n", 1)[-1])
        if follows_item and is_list_item(block) and not block.startswith("|"):
            blocks[-1] += f"\n{block}"
        elif block:
            blocks.append(block)
        position += taken
    return "\n\n".join(blocks)


def continues(before: Line, after: Line) -> bool:
    """Whether `after` goes on with the paragraph of `before`: its first word had no room there."""
    in_table = len(before.cells) > 1 or len(after.cells) > 1
    if in_table or after.heading != before.heading or _opens_item(after):
        return False
    first = _FIRST_WORD.search(after.text)
    if first is None:
        return False
    needed = (len(first.group()) + 1) * before.unit
    return before.right + needed > before.edge or after.text.lstrip()[:1].islower()


def join(before: str, after: str, words: frozenset[str]) -> str:
    """Join two halves of a wrapped paragraph, mending a word divided by a hyphen."""
    after = after.strip()
    broken = _HYPHEN_END.search(before)
    rest = re.match(r"[^\W\d_]+", after)
    if broken is None or rest is None or not after[:1].islower():
        return f"{before.rstrip()} {after}"
    first, second = broken.group(1).lower(), rest.group().lower()
    stays = f"{first}-{second}" in words and first + second not in words
    return before[: broken.end(1)] + ("-" if stays else "") + after


def _table(lines: Sequence[Line], start: int) -> tuple[int, str] | None:
    """Take two or more lines of equally many cells; None if there are none here."""
    width = len(lines[start].cells)
    end = start + 1
    while end < len(lines) and len(lines[end].cells) == width and not lines[end].heading:
        end += 1
    if width < 2 or end - start < 2 or lines[start].heading:
        return None
    return end - start, markdown_table([line.cells for line in lines[start:end]])


def _paragraph(lines: Sequence[Line], start: int, words: frozenset[str]) -> tuple[int, str]:
    first = lines[start]
    text = first.text.strip() if first.heading else _marked(first.text)
    end = start + 1
    while end < len(lines) and not lines[end].gap:
        before, after = lines[end - 1], lines[end]
        if after.heading != first.heading or len(after.cells) > 1 or _opens_item(after):
            break
        if continues(before, after):
            text = join(text, after.text, words)
        elif first.heading or _opens_item(first):
            break
        else:  # lines that are short on purpose, as in an address
            text = f"{text}\n{after.text.strip()}"
        end += 1
    prefix = "#" * first.heading + " " if first.heading else ""
    return end - start, prefix + text


def _marked(text: str) -> str:
    """Return a line with its bullet or number in Markdown's form."""
    number = _NUMBER.match(text)
    if number is None:
        return _BULLET.sub("- ", text).strip()
    label, rest = number.group(1), text[number.end() :].strip()
    return f"{label}. {rest}" if label.isdigit() else f"- {label}) {rest}"
