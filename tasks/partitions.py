"""Results per document, kept on disk, so that work done is never done again.

A stage that works document by document asks here first. After a crash, or when one
document of many changed, only the missing partitions are computed. Partitions are written
to a temporary name and moved into place, so a half-written one is never read.
"""

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from data_contracts.errors import StorageError


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
    path = folder / key[:2] / f"{key}.arrow"
    if path.is_file():
        return _read(path)
    partition = compute()
    try:
        _write(path, partition)
    except OSError as error:
        raise StorageError(
            f"Cannot write {path}: {error}. Free disk space or set TEMPER_HOME to another "
            "disk, then run again: finished documents are kept."
        ) from error
    return partition


def _read(path: Path) -> Partition:
    with pa.OSFile(str(path), "rb") as source:
        kept = pa.ipc.open_stream(source).read_all()
        dropped = pa.ipc.open_stream(source).read_all()
    return Partition(kept, dropped)


def _write(path: Path, partition: Partition) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".partial")
    try:
        with os.fdopen(handle, "wb") as raw:
            for table in (partition.kept, partition.dropped):
                with pa.ipc.new_stream(raw, table.schema) as writer:
                    writer.write_table(table)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
