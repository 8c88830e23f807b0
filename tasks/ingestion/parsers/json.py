"""JSON: records as text, keys as labels."""

import json
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from tasks.ingestion.decode import decode
from tasks.ingestion.media_type import JSON
from tasks.ingestion.parser import PARSERS, ParsedDocument, Parser, UnreadableFile
from tasks.ingestion.records import readable
from tasks.ingestion.stated import stated_date, stated_text


@PARSERS.register
class JsonParser(Parser):
    """JSON: labelled values, nested objects under headings, arrays of flat objects as tables."""

    parser: Literal["json"] = Field("json", description="Name of the parser.")
    media_types: ClassVar[tuple[str, ...]] = (JSON,)
    format_name: ClassVar[str] = "JSON"
    inline_markup: ClassVar[bool] = False

    def parse(self, path: Path, content: bytes) -> ParsedDocument:
        """Return the value as text."""
        try:
            value = json.loads(decode(content))
            text = readable(value)
        except ValueError as error:
            raise UnreadableFile("corrupt", f"The JSON cannot be read: {error}.") from error
        except RecursionError as error:
            raise UnreadableFile("too_complex", "The JSON is nested too deeply.") from error
        stated = value if isinstance(value, dict) else {}
        title, licence = stated.get("title"), stated.get("license", stated.get("licence"))
        return ParsedDocument(
            text=text,
            title=stated_text(title) if isinstance(title, str) else "",
            date=stated_date(stated.get("date", stated.get("updated"))),
            licence=stated_text(licence) if isinstance(licence, str) else "",
        )
