"""Reads or writes a corpus without the documents that were dropped."""

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data_contracts.errors import ConfigError, DatasetError, StorageError
from tasks.near_duplicates.config import NearDuplicatesConfig
from tasks.near_duplicates.reading import (
    DocumentFile,
    list_pieces,
    read_batches,
    read_chunks,
    read_schema,
)
from tasks.near_duplicates.sketches import Rows

# Rows written at once.
ROWS = 8192

# Bytes of text read at once where the documents are held.
READ_BYTES = 2**24

_NOTHING = pa.table(
    {
        "id": pa.array([], pa.string()),
        "text": pa.array([], pa.large_string()),
        "quality": pa.array([], pa.float64()),
        "row": pa.array([], pa.int64()),
    }
)

# What a cell begins with that Excel, LibreOffice or Sheets takes for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

FORMS = (".parquet", ".arrow", ".jsonl", ".csv")


def write_kept(files: Sequence[DocumentFile], dropped: Rows, out: Path) -> int:
    """Write all rows but the dropped ones, in the order of the files; return how many.

    Columns are those of all files; what a file lacks is null. Null values are written to
    JSON lines as null and to CSV as nothing.

    Args:
        files: In the order in which rows are counted through them.
        dropped: Rows to leave out, in rising order.
        out: Parquet, Arrow, JSON lines or CSV, by its suffix; written beside and moved.

    Raises:
        ConfigError: The suffix is none of these.
        DatasetError: Columns of one name have types that do not go together.
        StorageError: It cannot be written.
    """
    check_form(out)
    schema = _common_schema(files)
    partial = out.with_name(f".{out.name}.partial")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        count = _WRITERS[out.suffix](partial, schema, _kept(files, dropped, schema))
        partial.replace(out)
    except (OSError, pa.ArrowException, TypeError) as error:
        raise StorageError(
            f"Cannot write {out}: {error}. Free disk space, or choose .parquet where the rows "
            "hold values that text cannot tell."
        ) from error
    return count


def read_kept(
    files: Sequence[DocumentFile], dropped: Rows, config: NearDuplicatesConfig, most: int
) -> pa.Table:
    """Return the documents that are not dropped: `id`, `text`, `quality` and `row`.

    Args:
        files: In the order in which rows are counted through them.
        dropped: Rows to leave out, in rising order.
        config: Columns.
        most: Bytes of text that may be read.

    Raises:
        ConfigError: There is more text.
        DatasetError: A file cannot be read.
    """
    pieces = [piece for file in files for piece in list_pieces(file)]
    tables, first, held = [_NOTHING], 0, 0
    for chunk in read_chunks(pieces, config, READ_BYTES):
        rows = np.arange(first, first + chunk.num_rows)
        kept = chunk.append_column("row", pa.array(rows)).filter(pa.array(~np.isin(rows, dropped)))
        told: Any = kept.column("text")  # the stubs take it for numbers
        kept = kept.set_column(1, "text", pc.fill_null(told, ""))
        first, held = first + chunk.num_rows, held + kept.column("text").nbytes
        if held > most:
            raise ConfigError(
                f"More than {most:,} bytes of text are kept, which is what the memory allows for "
                "substring and semantic duplicates: they are looked for among all of it at once. "
                "Give more memory (--memory), search part by part, or leave the two out."
            )
        tables.append(kept)
    return pa.concat_tables(tables)


def check_form(out: Path) -> None:
    """Make sure that rows can be written to a file of this name.

    Raises:
        ConfigError: They cannot.
    """
    if out.suffix not in FORMS:
        raise ConfigError(f"Cannot write {out}: expected a name that ends with {', '.join(FORMS)}.")


def _common_schema(files: Sequence[DocumentFile]) -> pa.Schema:
    schemas = [read_schema(file.path).remove_metadata() for file in files]
    try:
        return pa.unify_schemas(schemas, promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise DatasetError(
            f"The files cannot be written as one table: {error}. Deduplicate files of one kind."
        ) from error


def _kept(files: Sequence[DocumentFile], dropped: Rows, schema: pa.Schema) -> Iterator[pa.Table]:
    first = 0
    for file in files:
        for batch in read_batches(file.path, None, ROWS):
            end = first + batch.num_rows
            keep = np.ones(batch.num_rows, bool)
            own = dropped[np.searchsorted(dropped, first) : np.searchsorted(dropped, end)]
            keep[own - first] = False
            table = pa.Table.from_batches([batch]).filter(pa.array(keep))
            yield _in_schema(table, schema)
            first = end


def _in_schema(table: pa.Table, schema: pa.Schema) -> pa.Table:
    columns = [
        table.column(field.name).cast(field.type)
        if field.name in table.schema.names
        else pa.nulls(table.num_rows, field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def _write_parquet(path: Path, schema: pa.Schema, tables: Iterator[pa.Table]) -> int:
    count = 0
    with pq.ParquetWriter(path, schema) as writer:
        for table in tables:
            writer.write_table(table)
            count += table.num_rows
    return count


def _write_arrow(path: Path, schema: pa.Schema, tables: Iterator[pa.Table]) -> int:
    count = 0
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
        for table in tables:
            writer.write_table(table)
            count += table.num_rows
    return count


def _write_json_lines(path: Path, schema: pa.Schema, tables: Iterator[pa.Table]) -> int:
    count = 0
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        for table in tables:
            for row in table.to_pylist():
                stream.write(json.dumps(row, ensure_ascii=False) + "\n")
            count += table.num_rows
    return count


def _write_csv(path: Path, schema: pa.Schema, tables: Iterator[pa.Table]) -> int:
    count = 0
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(schema.names)
        for table in tables:
            writer.writerows(map(_plain_cell, row.values()) for row in table.to_pylist())
            count += table.num_rows
    return count


def _plain_cell(value: Any) -> Any:
    """Return a text that a spreadsheet would compute with an apostrophe before it.

    The characters are OWASP's, "CSV Injection".
    """
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


_WRITERS: dict[str, Callable[[Path, pa.Schema, Iterator[pa.Table]], int]] = {
    ".parquet": _write_parquet,
    ".arrow": _write_arrow,
    ".jsonl": _write_json_lines,
    ".csv": _write_csv,
}
