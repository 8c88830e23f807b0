"""Tables larger than memory: rows go to a file as they come, and are mapped from there."""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa

from data_contracts.errors import StorageError

# Rows are written so many at a time: enough that a batch is cheap, few enough to be small.
_BATCH_ROWS = 256


class TableFile:
    """Collects rows in a temporary file; use as a context manager.

    Args:
        folder: Where the file lies while the table is in use.
        schema: Of the rows.
    """

    def __init__(self, folder: Path, schema: pa.Schema) -> None:
        self.schema, self.rows_written = schema, 0
        self._rows: list[dict[str, Any]] = []
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=folder, suffix=".rows")
        os.close(handle)
        self._path = Path(name)
        self._writer = pa.ipc.new_file(name, schema)

    def append(self, rows: Sequence[dict[str, Any]]) -> None:
        """Add rows.

        Raises:
            StorageError: The disk is full.
        """
        self._rows += rows
        if len(self._rows) >= _BATCH_ROWS:
            self._flush()

    def append_table(self, table: pa.Table) -> None:
        """Add the rows of a table in the same schema.

        Raises:
            StorageError: The disk is full.
        """
        self._flush()
        self._write(table)

    def table(self) -> pa.Table:
        """Close the file and return its rows, mapped from it; the file has no name any more."""
        self._flush()
        self._writer.close()
        with pa.memory_map(str(self._path)) as source:
            table = pa.ipc.open_file(source).read_all()
        self._path.unlink()
        return table

    def _flush(self) -> None:
        if self._rows:
            self._write(pa.Table.from_pylist(self._rows, schema=self.schema))
            self._rows = []

    def _write(self, table: pa.Table) -> None:
        try:
            self._writer.write_table(table)
        except OSError as error:
            raise StorageError(
                f"Cannot write {self._path}: {error}. Free disk space or set TEMPER_HOME to "
                "another disk, then run again: finished documents are kept."
            ) from error
        self.rows_written += table.num_rows

    def __enter__(self) -> "TableFile":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave no file behind."""
        self._writer.close()
        self._path.unlink(missing_ok=True)
