"""RTF: headings by style or size, lists, tables."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from tasks.ingestion.media_type import RTF
from tasks.ingestion.parser import PARSERS, ParsedDocument, Parser
from tasks.ingestion.rtf_header import read_header
from tasks.ingestion.rtf_text import RtfParagraph, read_paragraphs
from tasks.ingestion.tables import markdown_table

# A paragraph this much larger than most is a heading, unless it is long.
_HEADING_SIZE = 1.12
_HEADING_CHARACTERS = 120
_NUMBER = re.compile(r"\(?(\d{1,3})[.)]?$")
# Bullets that were typed, or that came without a list of their own.
_BULLET = re.compile(r"^[\u2022\u25aa\u25e6\u00b7\u2013*-]\s+")


@PARSERS.register
class RtfParser(Parser):
    """Rich Text Format."""

    parser: Literal["rtf"] = Field("rtf", description="Name of the parser.")
    media_types: ClassVar[tuple[str, ...]] = (RTF,)
    format_name: ClassVar[str] = "RTF"
    inline_markup: ClassVar[bool] = False

    def parse(self, path: Path, content: bytes) -> ParsedDocument:
        """Return headings, paragraphs, lists and tables."""
        header = read_header(content)
        paragraphs = read_paragraphs(content, header)
        _find_headings(paragraphs)
        text = "\n\n".join(_blocks(paragraphs))
        return ParsedDocument(text=text, title=header.title, date=header.date)


def _find_headings(paragraphs: Sequence[RtfParagraph]) -> None:
    """Set the level of large paragraphs in a document whose styles tell of no heading."""
    words = [p for p in paragraphs if p.cells is None]
    sizes = Counter[int]()
    for paragraph in words:
        sizes[paragraph.size] += len(paragraph.text)
    if not sizes or any(paragraph.heading for paragraph in words):
        return
    body = sizes.most_common(1)[0][0]
    larger = sorted((size for size in sizes if size >= body * _HEADING_SIZE), reverse=True)
    levels = {size: min(n, 4) for n, size in enumerate(larger, start=1)}
    for paragraph in words:
        if len(paragraph.text.strip()) <= _HEADING_CHARACTERS and not paragraph.label:
            paragraph.heading = levels.get(paragraph.size, 0)


def _blocks(paragraphs: Sequence[RtfParagraph]) -> Iterator[str]:
    """Yield blocks: rows that follow each other are one table, items one list."""
    block: list[RtfParagraph] = []
    for paragraph in paragraphs:
        if block and _kind(paragraph) != _kind(block[-1]):
            yield _block(block)
            block = []
        if _kind(paragraph) == "words":
            yield _words(paragraph)
        else:
            block.append(paragraph)
    if block:
        yield _block(block)


def _kind(paragraph: RtfParagraph) -> str:
    if paragraph.cells is not None:
        return "row"
    is_item = paragraph.label or _BULLET.match(paragraph.text.strip())
    return "item" if is_item and not paragraph.heading else "words"


def _block(block: Sequence[RtfParagraph]) -> str:
    if block[0].cells is not None:
        return markdown_table([row.cells or [] for row in block])
    return "\n".join(map(_item, block))


def _item(paragraph: RtfParagraph) -> str:
    words = " ".join(_BULLET.sub("", paragraph.text.strip()).split())
    number = _NUMBER.match(paragraph.label)
    is_letter = len(paragraph.label) > 1 and paragraph.label[:1].isalnum() and not number
    mark = f"{number.group(1)}." if number else f"- {paragraph.label}" if is_letter else "-"
    return f"{'   ' * paragraph.depth}{mark} {words}"


def _words(paragraph: RtfParagraph) -> str:
    lines = [" ".join(line.split()) for line in paragraph.text.strip().split("\n")]
    if paragraph.heading:
        return f"{'#' * paragraph.heading} {' '.join(lines)}"
    return "\n".join(filter(None, lines))
