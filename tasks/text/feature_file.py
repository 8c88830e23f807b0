"""The features of texts, in one mapped file for each kind: those of the last run are looked up.

A text is known by its hash, so the file says nothing of it. It holds what the last run used, no
more, in the order in which it was used: where nothing changed, the features are the file itself.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from xxhash import xxh3_64_intdigest

from data_contracts.errors import StorageError
from tasks.text.hash_rows import HashRows, Places, taken
from tasks.text.shingles import EMPTY, Hashes, distinct, places_in
from tasks.whole_file import whole_file

_COLUMNS: dict[str, pa.DataType] = {"name": pa.uint64(), "hashes": pa.list_(pa.uint64())}
_SCHEMA = pa.schema(_COLUMNS)

# Hashes written at once; the bounds of an Arrow list have 32 bits.
_BATCH = 1 << 24

# Bytes of one kind's features in its file; what is made beyond is made again by the next run.
MOST_BYTES = 1 << 30


class FeatureFile:
    """Features of one kind.

    Args:
        path: Where the last run's lie; None to make all anew.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._names, self._parts = (EMPTY, []) if path is None else _read(path)
        self._stored = distinct(self._names.copy())
        self._used: list[Hashes] = []

    def of(self, texts: Sequence[str], make: Callable[[str], Hashes]) -> HashRows:
        """Return the features of each text; equal texts are worked on once.

        Args:
            texts: Of what. A text is known by 64 bits: see `tasks.text.shingles` for what that
                risks.
            make: Makes the features of one text.
        """
        names = np.fromiter(
            (xxh3_64_intdigest(text.encode()) for text in texts), np.uint64, len(texts)
        )
        places = self._places(names)
        new = np.flatnonzero(places < 0)
        if new.size:
            once = new[np.sort(np.unique(names[new], return_index=True)[1])]
            self._parts.append(HashRows.of(make(texts[row]) for row in once.tolist()))
            self._names = np.concatenate([self._names, names[once]])
            places = self._places(names)
        self._used.append(names)
        return taken(self._parts, places)

    def _places(self, names: Hashes) -> Places:
        """Return where the features of each name are, counted through all parts; -1 for none."""
        order = np.argsort(self._names, kind="stable")
        found = places_in(self._names[order], names)
        return np.where(found >= 0, np.append(order, -1)[found], -1)

    def write(self) -> None:
        """Replace the file by what was used since it was read, if that is anything else.

        Raises:
            StorageError: It cannot be written.
        """
        used = np.concatenate([EMPTY, *self._used])
        if self._path is None or np.array_equal(distinct(used.copy()), self._stored):
            return
        try:
            with whole_file(self._path) as raw, pa.ipc.new_stream(raw, _SCHEMA) as writer:
                for batch in self._batches(used):
                    writer.write_batch(batch)
        except OSError as problem:
            raise StorageError(
                f"Cannot write {self._path}: {problem}. Free disk space or set TEMPER_HOME to "
                "another disk, then run again."
            ) from problem

    def _batches(self, used: Hashes) -> Iterator[pa.RecordBatch]:
        names = used[np.sort(np.unique(used, return_index=True)[1])]
        rows = taken(self._parts, self._places(names))
        fit = int(np.searchsorted(rows.offsets, MOST_BYTES // 8, side="right")) - 1
        start = 0
        while start < fit:
            most = rows.offsets[start] + _BATCH
            end = int(np.searchsorted(rows.offsets[: fit + 1], most, side="right")) - 1
            end = max(end, start + 1)
            part = rows[start:end]
            lists = pa.ListArray.from_arrays(
                pa.array(part.offsets, pa.int32()), pa.array(part.hashes)
            )
            yield pa.record_batch([pa.array(names[start:end]), lists], schema=_SCHEMA)
            start = end


def _read(path: Path) -> tuple[Hashes, list[HashRows]]:
    """Return the names and features of a file; a missing or damaged one counts as none."""
    try:
        with pa.memory_map(str(path)) as source:
            table = pa.ipc.open_stream(source).read_all()
        names = np.concatenate([EMPTY, *(c.to_numpy() for c in table.column("name").chunks)])
        chunks: list[Any] = table.column("hashes").chunks
        return names, [HashRows(c.values.to_numpy(), c.offsets.to_numpy()) for c in chunks]
    except (OSError, pa.ArrowInvalid, KeyError):
        return EMPTY, []
