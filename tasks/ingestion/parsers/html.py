"""HTML through trafilatura: the main content, without navigation, as Markdown."""

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from tasks.ingestion.decode import decode
from tasks.ingestion.front_matter import split_front_matter
from tasks.ingestion.media_type import HTML
from tasks.ingestion.parser import PARSERS, ParsedDocument, Parser, UnreadableFile


@PARSERS.register
class HtmlParser(Parser):
    """Web pages, and parts of them."""

    parser: Literal["html"] = Field("html", description="Name of the parser.")
    media_types: ClassVar[tuple[str, ...]] = (HTML,)
    inline_markup: ClassVar[bool] = True

    def parse(self, path: Path, content: bytes) -> ParsedDocument:
        """Return the main content."""
        title, page = split_front_matter(decode(content))
        text = _main_content(page)
        if not text:
            raise UnreadableFile(
                "no_text", "The page has no main content: only navigation, scripts or frames."
            )
        return ParsedDocument(text=text, title=title or _title(page))


def _main_content(page: str) -> str:
    import trafilatura

    extracted = trafilatura.extract(
        page,
        output_format="markdown",
        include_comments=False,
        include_tables=True,
        include_formatting=True,
        include_links=False,
        favor_recall=True,  # handbooks have short pages, which precision would empty
        with_metadata=False,
    )
    return extracted or ""


def _title(page: str) -> str:
    import trafilatura

    metadata = trafilatura.extract_metadata(page)
    return (metadata.title or "") if metadata else ""
