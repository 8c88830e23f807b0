"""CSV and TSV: the rows as one table."""

import csv
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from tasks.ingestion.decode import decode
from tasks.ingestion.media_type import CSV
from tasks.ingestion.parser import PARSERS, ParsedDocument, Parser, UnreadableFile
from tasks.ingestion.tables import markdown_table

_SAMPLE_LINES = 50


@PARSERS.register
class CsvParser(Parser):
    """Delimited text; the delimiter is found out."""

    parser: Literal["csv"] = Field("csv", description="Name of the parser.")
    media_types: ClassVar[tuple[str, ...]] = (CSV,)
    inline_markup: ClassVar[bool] = False

    def parse(self, path: Path, content: bytes) -> ParsedDocument:
        """Return the rows as a Markdown table."""
        lines = decode(content).split("\n")
        try:
            sample = "\n".join(lines[:_SAMPLE_LINES])
            dialect = csv.Sniffer().sniff(sample, delimiters=",;\t|")
            rows = list(csv.reader((f"{line}\n" for line in lines), dialect))
        except csv.Error as error:
            raise UnreadableFile("corrupt", f"The table cannot be read: {error}.") from error
        return ParsedDocument(text=markdown_table(rows))
