"""Small results by what they were made from, in one file: the next run makes only new ones.

Where there are too many results for a file each (`tasks.partitions`): reading ten thousand
files takes longer than making what is in them. The file holds what the last run used, no more,
so it does not grow with what changed since.
"""

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa

from data_contracts.base import digest
from data_contracts.errors import StorageError
from tasks.whole_file import whole_file

_COLUMNS: dict[str, pa.DataType] = {"key": pa.string(), "value": pa.binary()}
_SCHEMA = pa.schema(_COLUMNS)
SUFFIX = ".memo"

# Bytes of the results in one file; what is made beyond is made again by the next run.
MOST_BYTES = 1 << 30


class Memo:
    """Results of the last run; use as a context manager, which writes those of this one.

    Args:
        folder: Where the file lies.
        basis: All that every result depends on: options, code, libraries.

    Raises:
        StorageError: The file cannot be written.
    """

    def __init__(self, folder: Path, basis: object) -> None:
        self.path = folder / f"{digest(basis, length=32)}{SUFFIX}"
        self._known = read_memo(self.path)
        self._used: dict[str, bytes] = {}
        self._bytes, self._changed = 0, False

    def get(self, key: str) -> bytes | None:
        """Return the result under a key, if it is known."""
        value = self._used.get(key, self._known.get(key))
        if value is not None:
            self._keep(key, value)
        return value

    def put(self, key: str, value: bytes) -> None:
        """Keep a result, as long as there is room for it."""
        self._changed |= self._known.get(key) != value
        self._keep(key, value)

    def _keep(self, key: str, value: bytes) -> None:
        size = self._bytes + len(value) - len(self._used.get(key, b""))
        if size <= MOST_BYTES:
            self._used[key], self._bytes = value, size
        else:
            self._used.pop(key, None)

    def __enter__(self) -> "Memo":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        changed = self._changed or self._used.keys() != self._known.keys()
        if kind is None and changed:
            try:
                _write(self.path, self._used)
            except OSError as problem:
                raise StorageError(
                    f"Cannot write {self.path}: {problem}. Free disk space or set TEMPER_HOME to "
                    "another disk, then run again."
                ) from problem


def recall(memo: Memo | None, key: Callable[[], str], make: Callable[[], bytes]) -> bytes:
    """Return a result from a memo, or make it and keep it there.

    Args:
        memo: Where results are kept; None to make it anew.
        key: Names all that the result depends on.
        make: Makes the result.
    """
    if memo is None:
        return make()
    name = key()
    value = memo.get(name)
    if value is None:
        value = make()
        memo.put(name, value)
    return value


def read_memo(path: Path) -> dict[str, bytes]:
    """Return what a file holds; a missing or damaged one is of no consequence."""
    try:
        with pa.OSFile(str(path), "rb") as source:
            table = pa.ipc.open_stream(source).read_all()
        keys: list[Any] = table.column("key").to_pylist()
        values: list[Any] = table.column("value").to_pylist()
        return dict(zip(keys, values, strict=True))
    except (OSError, pa.ArrowInvalid, KeyError):
        return {}


def _write(path: Path, values: dict[str, bytes]) -> None:
    table = pa.table({"key": list(values), "value": list(values.values())}, schema=_SCHEMA)
    with whole_file(path) as raw, pa.ipc.new_stream(raw, _SCHEMA) as writer:
        writer.write_table(table)
