"""CSV, TSV and the like: the rows as one table."""

import csv
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from tasks.ingestion.decode import decode
from tasks.ingestion.media_type import CSV
from tasks.ingestion.parser import PARSERS, ParsedDocument, Parser, UnreadableFile
from tasks.ingestion.tables import find_delimiter, markdown_table


@PARSERS.register
class CsvParser(Parser):
    """Delimited text; the delimiter is found out."""

    parser: Literal["csv"] = Field("csv", description="Name of the parser.")
    media_types: ClassVar[tuple[str, ...]] = (CSV,)
    format_name: ClassVar[str] = "CSV"
    inline_markup: ClassVar[bool] = False

    def parse(self, path: Path, content: bytes) -> ParsedDocument:
        """Return the rows as a Markdown table."""
        text = decode(content)
        lines = (f"{line}\n" for line in text.split("\n"))
        delimiter = find_delimiter(text)
        if not delimiter:
            raise UnreadableFile("corrupt", "Its rows have no common delimiter and width.")
        try:
            rows = list(csv.reader(lines, delimiter=delimiter, skipinitialspace=True))
        except csv.Error as error:
            raise UnreadableFile("corrupt", f"The table cannot be read: {error}.") from error
        return ParsedDocument(text=markdown_table(rows))
