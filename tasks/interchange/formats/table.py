"""Rows with named columns, whatever file they lie in."""

from typing import ClassVar, Literal

from pydantic import Field

from tasks.interchange.columns import ColumnMap
from tasks.interchange.format import FORMATS


@FORMATS.register
class TableFormat(ColumnMap):
    """Columns of question and answer in Parquet, Arrow, CSV, TSV or JSON."""

    format: Literal["table"] = Field("table", description="Columns of question and answer.")

    kind: ClassVar[str] = "question"
    shape: ClassVar[str] = '{"question": "...", "answer": "...", "context": "..."}'
