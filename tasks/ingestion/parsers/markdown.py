"""Markdown: already what Temper wants; front matter is taken off."""

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from tasks.ingestion.decode import decode
from tasks.ingestion.front_matter import split_front_matter
from tasks.ingestion.media_type import MARKDOWN
from tasks.ingestion.parser import PARSERS, ParsedDocument, Parser

_OPEN, _CLOSE = "<!--", "-->"
_MOST_UNCLOSED = 100


@PARSERS.register
class MarkdownParser(Parser):
    """Markdown, with or without front matter."""

    parser: Literal["markdown"] = Field("markdown", description="Name of the parser.")
    media_types: ClassVar[tuple[str, ...]] = (MARKDOWN,)
    format_name: ClassVar[str] = "Markdown"
    inline_markup: ClassVar[bool] = True

    def parse(self, path: Path, content: bytes) -> ParsedDocument:
        """Return the text below the front matter."""
        front, body = split_front_matter(decode(content))
        # thousands of comments that no one closes cost Markdown's reader minutes
        if body.count(_OPEN) - body.count(_CLOSE) > _MOST_UNCLOSED:
            body = body.replace(_OPEN, "")
        return ParsedDocument(text=body, title=front.title, date=front.date, licence=front.licence)
