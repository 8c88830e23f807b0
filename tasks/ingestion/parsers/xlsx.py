"""XLSX through openpyxl: each sheet a heading, each block of cells a table.

Not through markitdown: it reads sheets into pandas frames, which turns whole numbers
beside empty cells into decimals, empty cells into `NaN` and title rows into column names.
"""

import io
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from tasks.ingestion.media_type import XLSX
from tasks.ingestion.package import DAMAGE, core_properties, corrupt, open_package
from tasks.ingestion.parser import PARSERS, ParsedDocument, Parser
from tasks.ingestion.tables import markdown_table

Row = tuple[str, ...]


@PARSERS.register
class XlsxParser(Parser):
    """Excel workbooks since 2007; formulas as the values last computed."""

    parser: Literal["xlsx"] = Field("xlsx", description="Name of the parser.")
    media_types: ClassVar[tuple[str, ...]] = (XLSX,)
    format_name: ClassVar[str] = "Excel"
    distributions: ClassVar[tuple[str, ...]] = ("openpyxl",)
    inline_markup: ClassVar[bool] = False

    def parse(self, path: Path, content: bytes) -> ParsedDocument:
        """Return every visible sheet that holds anything."""
        sheets = _read(content)
        parts = [f"## {name}\n\n{body}" for name, rows in sheets if (body := _markdown(rows))]
        stated = core_properties(content)
        return ParsedDocument(text="\n\n".join(parts), title=stated.title, date=stated.date)


def _read(content: bytes) -> list[tuple[str, list[Row]]]:
    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    open_package(content).close()
    try:
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        return [
            (sheet.title, [tuple(_text(value) for value in row) for row in _values(sheet)])
            for sheet in book.worksheets
            if sheet.sheet_state == "visible"
        ]
    except (InvalidFileException, *DAMAGE) as error:
        raise corrupt("workbook", error) from error


def _values(sheet: Any) -> Iterator[Sequence[Any]]:
    # a stated size is often wrong, and then a million empty rows are read
    sheet.reset_dimensions()
    yield from sheet.iter_rows(values_only=True)


def _text(value: Any) -> str:
    """Return a cell as people see it: no midnight behind a date."""
    if value is None:
        return ""
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="minutes")
    if isinstance(value, time):
        return value.isoformat(timespec="minutes")
    return value.isoformat() if isinstance(value, date) else str(value).strip()


def _markdown(rows: Sequence[Row]) -> str:
    """Return blocks of rows, divided by empty ones, as tables; lone cells as paragraphs."""
    parts: list[str] = []
    block: list[Row] = []
    for row in [*rows, ()]:
        filled = [cell for cell in row if cell]
        if len(filled) == 1 and not block:
            parts.append(filled[0])
        elif filled:
            block.append(row)
        elif block:
            parts.append(markdown_table(block))
            block = []
    return "\n\n".join(parts)
