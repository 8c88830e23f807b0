"""DOCX through markitdown."""

import io
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from tasks.ingestion.media_type import DOCX
from tasks.ingestion.parser import PARSERS, ParsedDocument, Parser, UnreadableFile


@PARSERS.register
class DocxParser(Parser):
    """Word documents since 2007."""

    parser: Literal["docx"] = Field("docx", description="Name of the parser.")
    media_types: ClassVar[tuple[str, ...]] = (DOCX,)
    inline_markup: ClassVar[bool] = True

    def parse(self, path: Path, content: bytes) -> ParsedDocument:
        """Return headings, paragraphs, lists and tables."""
        from markitdown import MarkItDown, MarkItDownException, StreamInfo

        converter = MarkItDown(enable_plugins=False)
        info = StreamInfo(extension=".docx", mimetype=DOCX)
        try:
            result = converter.convert_stream(io.BytesIO(content), stream_info=info)
        except MarkItDownException as error:  # it wraps whatever a converter raises
            raise UnreadableFile("corrupt", f"The DOCX cannot be read: {_last(error)}") from error
        return ParsedDocument(text=result.markdown)


def _last(error: Exception) -> str:
    """Return the last line of a message, which names the cause."""
    return (str(error).strip().splitlines() or ["no cause given"])[-1].strip(" -")
