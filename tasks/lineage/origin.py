"""Which rows of a table come of a document: made of it, or resting on a passage of it."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data_contracts.dataset import DROPPED, KEPT
from data_contracts.errors import DatasetError
from tasks.forgotten import REASON as FORGOTTEN
from tasks.versions.find import Version


def read_part(version: Version, dropped: bool = False) -> pa.Table:
    """Read the kept or the dropped rows of a dataset.

    Raises:
        DatasetError: The file cannot be read.
    """
    path = version.folder / (DROPPED if dropped else KEPT)
    return _read(path)


def read_rows(version: Version, column: str, value: str, dropped: bool = False) -> pa.Table:
    """Read the kept or dropped rows in which a column has a value; none if there is no such column.

    Raises:
        DatasetError: The file cannot be read.
    """
    table = read_part(version, dropped)
    if column not in table.column_names:
        return table.slice(0, 0)
    return table.filter(pc.equal(table.column(column), pa.scalar(value)))


def not_forgotten(table: pa.Table) -> pa.Table:
    """Return the rows without the notes that ingestion leaves of forgotten documents."""
    if "reason" not in table.column_names:
        return table
    left = [reason != FORGOTTEN for reason in table.column("reason").to_pylist()]
    return table.filter(pa.array(left, pa.bool_()))


def of_documents(table: pa.Table, document_ids: Iterable[str]) -> pa.Table:
    """Return the rows that come of documents: their own, and those that rest on a passage of them.

    Args:
        table: Rows with `document_id`, and `other_chunks` where they have it.
        document_ids: The documents.
    """
    wanted = pa.array(sorted(document_ids), pa.string())
    if "document_id" not in table.column_names:
        return table.slice(0, 0)
    found = pc.is_in(table.column("document_id"), wanted)
    if "other_chunks" in table.column_names:
        found = pc.or_(found, _resting_on(table.column("other_chunks"), wanted))
    return table.filter(found)


def _resting_on(chunks: "pa.ChunkedArray[Any]", wanted: "pa.Array[Any]") -> "pa.Array[Any]":
    """Return which rows name one of the documents among their further chunks."""
    whole = chunks.combine_chunks()
    named = pc.struct_field(pc.list_flatten(whole), "document_id")
    rows = pc.list_parent_indices(whole).filter(pc.is_in(named, wanted))
    return pc.is_in(pa.array(range(len(whole)), pa.int64()), rows.unique())


def _read(path: Path) -> pa.Table:
    try:
        return pq.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise DatasetError(
            f"Cannot read {path}: {error}. Delete its folder and build the dataset again."
        ) from error
