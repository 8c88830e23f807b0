"""Reads documents from Parquet and Arrow files, some megabytes at a time."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from data_contracts.errors import DatasetError
from tasks.near_duplicates.config import NearDuplicatesConfig

# Rows read at once; with documents of a megabyte this is still bearable.
ROWS = 256


class DocumentFile(NamedTuple):
    """A file of documents.

    Attributes:
        path: A Parquet or Arrow IPC file, whatever it is called.
        name: Names its documents where no column does: `name#0000000001` is its first.
    """

    path: Path
    name: str


def document_files(paths: Sequence[Path]) -> list[DocumentFile]:
    """Return files under names that tell them apart: their paths from where these part."""
    resolved = [path.resolve() for path in paths]
    parents = [str(path.parent) for path in resolved]
    common = Path(os.path.commonpath(parents)) if parents else Path()
    return [DocumentFile(path, path.relative_to(common).as_posix()) for path in resolved]


class Piece(NamedTuple):
    """A stretch of a file that is read at one go.

    Attributes:
        file: Which file.
        group: Number of its row group (Parquet) or record batch (Arrow).
        first: How many rows of the file come before it.
        size: Bytes, without compression.
    """

    file: DocumentFile
    group: int
    first: int
    size: int


def list_pieces(file: DocumentFile) -> Iterator[Piece]:
    """Yield the pieces of a file in order, without reading them.

    Raises:
        DatasetError: The file cannot be read.
    """
    first = 0
    try:
        for group, (rows, size) in enumerate(_groups(file.path)):
            yield Piece(file, group, first, size)
            first += rows
    except (pa.ArrowException, OSError) as error:
        raise DatasetError(
            f"Cannot read documents from {file.path}: {error}. Expected a Parquet file or an "
            "Arrow IPC file."
        ) from error


def _groups(path: Path) -> Iterator[tuple[int, int]]:
    """Yield rows and bytes of every row group or record batch."""
    if _is_arrow(path):
        with pa.memory_map(str(path)) as source, pa.ipc.open_file(source) as reader:
            for number in range(reader.num_record_batches):
                batch = reader.get_batch(number)
                yield batch.num_rows, batch.nbytes
        return
    with pq.ParquetFile(path) as parquet:
        for number in range(parquet.num_row_groups):
            group = parquet.metadata.row_group(number)
            yield group.num_rows, group.total_byte_size


def read_chunks(
    pieces: Sequence[Piece], config: NearDuplicatesConfig, size: int
) -> Iterator[pa.Table]:
    """Yield tables of the columns `id`, `text` and `quality` with about `size` bytes of text.

    Raises:
        DatasetError: A file cannot be read, or a column is missing or of another type.
    """
    waiting: list[pa.Table] = []
    held = 0
    for piece in pieces:
        for batch in _read(piece, config):
            waiting.append(batch)
            held += batch.column("text").nbytes + batch.num_rows
            if held >= size:
                yield pa.concat_tables(waiting)
                waiting, held = [], 0
    if held:
        yield pa.concat_tables(waiting)


def read_batches(
    path: Path, columns: Sequence[str] | None, rows: int, group: int | None = None
) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a Parquet or Arrow IPC file, at most `rows` at a time.

    Args:
        path: The file.
        columns: Which columns; None for all.
        rows: How many rows to hold.
        group: Number of the only row group or record batch to read; None for all.

    Raises:
        KeyError: A column is missing.
    """
    yield from (_arrow_batches if _is_arrow(path) else _parquet_batches)(path, columns, rows, group)


def read_schema(path: Path) -> pa.Schema:
    """Return the schema of a Parquet or Arrow IPC file."""
    if _is_arrow(path):
        with pa.memory_map(str(path)) as source, pa.ipc.open_file(source) as reader:
            return reader.schema
    return pq.read_schema(path)


def _is_arrow(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(6) == b"ARROW1"


def _arrow_batches(
    path: Path, columns: Sequence[str] | None, rows: int, group: int | None
) -> Iterator[pa.RecordBatch]:
    with pa.memory_map(str(path)) as source, pa.ipc.open_file(source) as reader:
        _check_columns(columns, reader.schema)
        for number in range(reader.num_record_batches) if group is None else (group,):
            batch = reader.get_batch(number)
            if columns is not None:
                batch = batch.select(list(columns))
            for start in range(0, batch.num_rows, rows):
                yield batch.slice(start, rows)


def _parquet_batches(
    path: Path, columns: Sequence[str] | None, rows: int, group: int | None
) -> Iterator[pa.RecordBatch]:
    with pq.ParquetFile(path, pre_buffer=False) as parquet:
        _check_columns(columns, parquet.schema_arrow)
        wanted = None if columns is None else list(columns)
        groups = None if group is None else [group]
        yield from parquet.iter_batches(rows, groups, wanted, use_threads=False)


def _check_columns(columns: Sequence[str] | None, schema: pa.Schema) -> None:
    missing = set(columns or ()) - set(schema.names)
    if missing:
        raise KeyError(f"no column {sorted(missing)}; there are {schema.names}")


def _read(piece: Piece, config: NearDuplicatesConfig) -> Iterator[pa.Table]:
    given = (config.id_column, config.text_column, config.quality_column)
    columns = [name for name in given if name is not None]
    file, first = piece.file, piece.first + 1
    try:
        for batch in read_batches(file.path, columns, ROWS, piece.group):
            yield _standard(batch, config, file.name, first)
            first += batch.num_rows
    except (pa.ArrowException, OSError, KeyError) as error:
        raise DatasetError(
            f"Cannot read documents from {file.path}: {error}. Expected a Parquet file or an "
            f"Arrow IPC file with the columns {', '.join(columns)}: names and text as "
            "strings, quality as a number."
        ) from error


def _standard(
    batch: pa.RecordBatch, config: NearDuplicatesConfig, file: str, first: int
) -> pa.Table:
    if config.id_column is None:
        numbers = range(first, first + batch.num_rows)
        names: Any = pa.array([f"{file}#{number:010}" for number in numbers], pa.string())
    else:
        names = batch.column(config.id_column).cast(pa.string())
    if names.null_count:
        raise KeyError(f"{names.null_count} rows without {config.id_column!r}")
    quality: Any = pa.nulls(batch.num_rows, pa.float64())
    if config.quality_column:
        quality = batch.column(config.quality_column).cast(pa.float64())
    text = batch.column(config.text_column).cast(pa.large_string())
    return pa.table({"id": names, "text": text, "quality": quality})
