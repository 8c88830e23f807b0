"""Results per document, kept on disk, so that work done is never done again.

A stage that works document by document asks here first. After a crash, or when one
document of many changed, only the missing partitions are computed. A half-written
partition is never read.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from data_contracts.errors import StorageError
from tasks.whole_file import whole_file


@dataclass(frozen=True)
class Partition:
    """What a stage made of one document: rows kept and rows dropped."""

    kept: pa.Table
    dropped: pa.Table


def cached_partition(folder: Path, key: str, compute: Callable[[], Partition]) -> Partition:
    """Return the partition named `key`, computing and storing it when it is missing.

    Args:
        folder: Cache folder of the stage.
        key: Digest of everything the partition depends on.
        compute: Makes the partition.

    Raises:
        StorageError: The partition cannot be written.
    """
    path = find_partition(folder, key)
    if path is not None:
        return read_partition(path)
    partition = compute()
    store_partition(folder, key, partition)
    return partition


def find_partition(folder: Path, key: str) -> Path | None:
    """Return where the partition named `key` lies, or None if it is not stored."""
    path = _place(folder, key)
    return path if path.is_file() else None


def store_partition(folder: Path, key: str, partition: Partition) -> Path:
    """Store a partition under `key` and return where it lies.

    Raises:
        StorageError: It cannot be written.
    """
    path = _place(folder, key)
    try:
        _write(path, partition)
    except OSError as error:
        raise StorageError(
            f"Cannot write {path}: {error}. Free disk space or set TEMPER_HOME to another "
            "disk, then run again: finished documents are kept."
        ) from error
    return path


def read_partition(path: Path) -> Partition:
    """Read a stored partition."""
    with pa.OSFile(str(path), "rb") as source:
        kept = pa.ipc.open_stream(source).read_all()
        dropped = pa.ipc.open_stream(source).read_all()
    return Partition(kept, dropped)


def _place(folder: Path, key: str) -> Path:
    return folder / key[:2] / f"{key}.arrow"


def _write(path: Path, partition: Partition) -> None:
    with whole_file(path) as raw:
        for table in (partition.kept, partition.dropped):
            with pa.ipc.new_stream(raw, table.schema) as writer:
                writer.write_table(table)
