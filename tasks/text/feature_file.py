"""The features of texts, in one mapped file for each kind: those of the last run are looked up.

A text is known by its hash, so the file says nothing of it. It holds what the last run used, no
more. Features of known texts stay where they are mapped; reading them makes no copy.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from xxhash import xxh3_128_digest

from data_contracts.errors import StorageError
from tasks.text.shingles import EMPTY, Hashes
from tasks.whole_file import whole_file

_COLUMNS: dict[str, pa.DataType] = {"name": pa.binary(16), "hashes": pa.list_(pa.uint64())}
_SCHEMA = pa.schema(_COLUMNS)

# Texts written at once: their features are held twice.
_BATCH = 4_096

# Bytes of one kind's features in its file; what is made beyond is made again by the next run.
MOST_BYTES = 1 << 30


class FeatureFile:
    """Features of one kind.

    Args:
        path: Where the last run's lie; None to make all anew.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._known = {} if path is None else _read(path)
        self._stored = frozenset(self._known)
        self._used: dict[bytes, Hashes] = {}

    def of(self, texts: Sequence[str], make: Callable[[str], Hashes]) -> list[Hashes]:
        """Return the features of each text; equal texts are worked on once.

        Args:
            texts: Of what.
            make: Makes the features of one text.
        """
        names = [xxh3_128_digest(text.encode()) for text in texts]
        for name, text in zip(names, texts, strict=True):
            if name not in self._known:
                self._known[name] = make(text)
        found = [self._known[name] for name in names]
        self._used.update(zip(names, found, strict=True))
        return found

    def write(self) -> None:
        """Replace the file by what was used since it was read, if that is anything else.

        Raises:
            StorageError: It cannot be written.
        """
        if self._path is None or self._used.keys() == self._stored:
            return
        try:
            with whole_file(self._path) as raw, pa.ipc.new_stream(raw, _SCHEMA) as writer:
                for batch in self._batches():
                    writer.write_batch(batch)
        except OSError as problem:
            raise StorageError(
                f"Cannot write {self._path}: {problem}. Free disk space or set TEMPER_HOME to "
                "another disk, then run again."
            ) from problem

    def _batches(self) -> Iterator[pa.RecordBatch]:
        names, room = list(self._used), MOST_BYTES
        for start in range(0, len(names), _BATCH):
            part = names[start : start + _BATCH]
            features = [self._used[name] for name in part]
            offsets = np.cumsum([0, *(row.size for row in features)], dtype=np.int64)
            room -= int(offsets[-1]) * 8
            if room < 0:
                return
            lists = pa.ListArray.from_arrays(
                pa.array(offsets, pa.int32()), pa.array(np.concatenate([EMPTY, *features]))
            )
            yield pa.record_batch([pa.array(part, pa.binary(16)), lists], schema=_SCHEMA)


def _read(path: Path) -> dict[bytes, Hashes]:
    """Return what a file holds; a missing or damaged one counts as none."""
    try:
        with pa.memory_map(str(path)) as source:
            table = pa.ipc.open_stream(source).read_all()
        names: list[Any] = table.column("name").to_pylist()
        features: list[Hashes] = []
        chunks: list[Any] = table.column("hashes").chunks
        for lists in chunks:
            hashes = lists.values.to_numpy()
            bounds = lists.offsets.to_pylist()
            features += [hashes[start:end] for start, end in pairwise(bounds)]
        return dict(zip(names, features, strict=True))
    except (OSError, pa.ArrowInvalid, KeyError):
        return {}
