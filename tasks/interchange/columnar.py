"""Turns records of any file into columns, so that they can be read fast and again."""

import json
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from data_contracts.errors import DatasetError, StorageError
from tasks.interchange.files import read_records

_ROWS = 1_000


def write_columns(path: Path, target: Path) -> int:
    """Write the readable records of a file as an Arrow IPC file; return how many were not.

    The file is read twice, for columns and types first, and never held whole. A field whose
    values have types that do not go together is written as JSON text.

    Args:
        path: A file that `tasks.interchange.files` reads.
        target: The Arrow file; written beside and moved.

    Raises:
        DatasetError: It cannot be read, or holds no record that can.
        StorageError: It cannot be written.
    """
    types: dict[str, pa.DataType] = {}
    for rows in _batches(path):
        for name in dict.fromkeys(name for row in rows for name in row):
            found = _type([row.get(name) for row in rows])
            types[name] = _wider(types.get(name, pa.null()), found)
    if not types:
        raise DatasetError(f"{path} holds no record that can be read: no object, no row.")
    _write(path, target, pa.schema(list(types.items())))
    return sum(record.value is None for record in read_records(path, "utf-8"))


def _batches(path: Path) -> Iterator[list[Mapping[str, Any]]]:
    values = (r.value for r in read_records(path, "utf-8") if r.value is not None)
    while rows := list(islice(values, _ROWS)):
        yield rows


def _type(values: list[Any]) -> pa.DataType:
    try:
        found: pa.DataType = pa.array(values).type
    except (pa.ArrowException, OverflowError):
        return pa.string()
    return found


def _wider(left: pa.DataType, right: pa.DataType) -> pa.DataType:
    schemas = [pa.schema([("field", kind)]) for kind in (left, right)]
    try:
        wider: pa.DataType = pa.unify_schemas(schemas, promote_options="permissive").field(0).type
    except pa.ArrowException:
        return pa.string()
    return wider


def _write(path: Path, target: Path, schema: pa.Schema) -> None:
    partial = target.with_name(f"{target.name}.partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with pa.OSFile(str(partial), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
            for rows in _batches(path):
                columns = [_column([row.get(f.name) for row in rows], f.type) for f in schema]
                writer.write_table(pa.Table.from_arrays(columns, schema=schema))
        partial.replace(target)
    except OSError as error:
        raise StorageError(f"Cannot write {target}: {error}. Free disk space.") from error


def _column(values: list[Any], kind: pa.DataType) -> "pa.Array[Any]":
    if kind == pa.string():
        values = [v if v is None or isinstance(v, str) else json.dumps(v) for v in values]
    return pa.array(values, kind)
