"""Plain text: hard-wrapped lines re-joined, headings told where they are beyond doubt."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from tasks.ingestion.decode import decode
from tasks.ingestion.layout import Line, is_list_item, to_markdown, vocabulary
from tasks.ingestion.media_type import PLAIN
from tasks.ingestion.parser import PARSERS, ParsedDocument, Parser

_RULER = re.compile(r"^\s*[-=~_*#]{2,}\s*$")
_HEADING = re.compile(r"^[A-Z0-9\u00c0-\u00de][^|]{2,79}(?<![.,;:!])$")

# Texts are wrapped at 60 to 100 columns; a file with longer lines has one paragraph a line.
_WIDEST_WRAP = 120


@PARSERS.register
class TextParser(Parser):
    """Plain text in any encoding."""

    parser: Literal["text"] = Field("text", description="Name of the parser.")
    media_types: ClassVar[tuple[str, ...]] = (PLAIN,)
    format_name: ClassVar[str] = "plain text"
    inline_markup: ClassVar[bool] = False

    def parse(self, path: Path, content: bytes) -> ParsedDocument:
        """Return the text with paragraphs on one line each."""
        lines = _lines(decode(content).expandtabs(4).split("\n"))
        return ParsedDocument(text=to_markdown(lines, vocabulary(lines)))


def _right_edge(raw: Sequence[str]) -> float:
    """Return the column at which the text was wrapped, or infinity if it was not."""
    widths = [float(len(text.rstrip())) for text in raw if text.strip() and not _RULER.match(text)]
    short = [width for width in widths if width <= _WIDEST_WRAP]
    is_wrapped = sum(short) > sum(widths) / 2
    return max(short) if is_wrapped else float("inf")


def _lines(raw: Sequence[str]) -> list[Line]:
    """Return the lines that carry text, with blank lines and rulers as gaps between them."""
    lines, gap, edge = list[Line](), True, _right_edge(raw)
    for number, text in enumerate(raw):
        if not text.strip() or _RULER.match(text):
            gap = True
            continue
        level = _heading_level(raw, number)
        left = float(len(text) - len(text.lstrip()))
        right = float(len(text.rstrip()))
        lines.append(Line((text.strip(),), left, right, edge, 1.0, gap=gap, heading=level))
        gap = False
    return lines


def _heading_level(raw: Sequence[str], number: int) -> int:
    """Return 1 or 2 for a line that is underlined, or stands alone above a paragraph; else 0."""
    text = raw[number].rstrip()
    below = [line.rstrip() for line in raw[number + 1 : number + 4]]
    if not _HEADING.match(text) or (number and raw[number - 1].strip()):
        return 0
    if below and _RULER.match(below[0]):
        return 1 if below[0].lstrip().startswith("=") else 2
    if len(below) < 2 or below[0] or not _opens_prose(below[1:]):
        return 0
    return 1 if text.isupper() else 2


def _opens_prose(below: Sequence[str]) -> bool:
    """Whether what follows is a paragraph or a list, not another lone line."""
    first = below[0].strip()
    second = below[1].strip() if len(below) > 1 else ""
    return is_list_item(first) or len(first) > 60 or bool(second)
