"""Temper's own columns, as Parquet: nothing is lost."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Literal

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field

from data_contracts.schemas import EXAMPLE
from tasks.interchange.columns import ColumnMap
from tasks.interchange.conversation import Conversation
from tasks.interchange.format import FORMATS, Fields, Row, WritableFormat


@FORMATS.register
class ParquetFormat(ColumnMap, WritableFormat):
    """Every column of a row, its lineage included, in Parquet; read like a table."""

    format: Literal["parquet"] = Field("parquet", description="Temper's own columns.")

    kind: ClassVar[str] = "question"
    shape: ClassVar[str] = '{"question": "...", "answer": "...", "context": "...", "history": []}'
    extension: ClassVar[str] = ".parquet"
    note: ClassVar[str] = "Every column of the rows is there; `question` and `answer` are texts."

    def matches(self, record: Row) -> bool:
        """Return whether the columns are those that Temper writes."""
        return "example_id" in record and super().matches(record)

    def read(self, record: Row) -> Conversation:
        """Return the turns; the row's document is its group."""
        document = record.get("document_id")
        return replace(super().read(record), group=str(document) if document else None)

    def record(self, row: Row, fields: Fields) -> dict[str, Any]:
        """Return the row as it is."""
        return dict(row)

    def features(self, fields: Fields) -> list[dict[str, Any]]:
        """Return nothing: the file itself tells its types."""
        return []

    def save(self, rows: Iterable[Row], fields: Fields, path: Path) -> None:
        """Write the rows with the schema of examples."""
        table = pa.Table.from_pylist([self.record(row, fields) for row in rows], EXAMPLE)
        pq.write_table(table, path, compression="zstd")
