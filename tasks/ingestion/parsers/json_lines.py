"""JSON Lines: one record a line."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from tasks.ingestion.decode import decode
from tasks.ingestion.media_type import JSON_LINES
from tasks.ingestion.parser import PARSERS, ParsedDocument, Parser, UnreadableFile
from tasks.ingestion.records import readable


@PARSERS.register
class JsonLinesParser(Parser):
    """JSON Lines: flat records as one table, others as sections."""

    parser: Literal["json_lines"] = Field("json_lines", description="Name of the parser.")
    media_types: ClassVar[tuple[str, ...]] = (JSON_LINES,)
    format_name: ClassVar[str] = "JSON Lines"
    inline_markup: ClassVar[bool] = False

    def parse(self, path: Path, content: bytes) -> ParsedDocument:
        """Return the records as text; one line that is no JSON makes the file corrupt."""
        try:
            return ParsedDocument(text=readable(list(_records(decode(content)))))
        except RecursionError as error:
            raise UnreadableFile("too_complex", "A record is nested too deeply.") from error


def _records(text: str) -> Iterator[Any]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            yield json.loads(line)
        except ValueError as error:
            raise UnreadableFile("corrupt", f"Line {number} is no JSON: {error}.") from error
