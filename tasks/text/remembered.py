"""What the last run made of texts: within `remembering` it is looked up, not made anew.

The results are the same with and without. A name says all that a result depends on beside
the code and the libraries, which are in the file's own name.
"""

import io
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_contracts.base import digest
from tasks.memo import SUFFIX, Memo
from tasks.text.feature_file import FeatureFile
from tasks.text.hash_rows import HashRows
from tasks.text.shingles import Hashes, window_hashes

# Raise when any code whose results are kept here gives other ones.
VERSION = 3

# Multiplier of xxHash64 (Collet), odd: no two hashes become one in a product.
_ODD = np.uint64(0x9E3779B185EBCA87)

# Hashes mixed at once: they stay in the processor's cache.
_BLOCK = 1 << 15

Arrays = Mapping[str, NDArray[Any]]
Names = NDArray[np.uint64]


@dataclass(frozen=True)
class _Remembered:
    """What is kept in a folder: arrays in a memo, the features of texts in a file each kind."""

    folder: Path
    basis: Sequence[object]
    arrays: Memo
    files: dict[str, FeatureFile] = field(default_factory=dict)

    def features(self, kind: str) -> FeatureFile:
        """Return the features of a kind."""
        if kind not in self.files:
            name = digest([*self.basis, kind], length=32)
            self.files[kind] = FeatureFile(self.folder / f"{name}{SUFFIX}")
        return self.files[kind]


_NOW: ContextVar[_Remembered | None] = ContextVar("what is remembered of features", default=None)


@contextmanager
def remembering(folder: Path) -> Iterator[None]:
    """Look up and keep features in a folder's files; they then hold what was used within.

    Raises:
        StorageError: The files cannot be written.
    """
    libraries = [version(name) for name in ("numpy", "datasketch", "xxhash")]
    basis = ["features", VERSION, unicodedata.unidata_version, libraries]
    with Memo(folder, basis) as memo:
        now = _Remembered(folder, basis, memo)
        token = _NOW.set(now)
        try:
            yield
        finally:
            _NOW.reset(token)
        for file in now.files.values():
            file.write()


def features(kind: str, texts: Iterable[str], make: Callable[[str], Hashes]) -> HashRows:
    """Return the hashes of each text; equal texts are worked on once.

    Args:
        kind: Names what is made, with its options.
        texts: Of what.
        make: Makes the hashes of one text.
    """
    now = _NOW.get()
    file = FeatureFile(None) if now is None else now.features(kind)
    return file.of(list(texts), make)


def names_of(rows: HashRows) -> Names:
    """Return a name for the set of each row: equal sets, equal names.

    The sum of its hashes, each mixed. Of 64 bits, as the hashes themselves: see
    `tasks.text.shingles` for what that risks.
    """
    before = np.zeros(rows.hashes.size + 1, np.uint64)
    for start in range(0, rows.hashes.size, _BLOCK):
        mixed = rows.hashes[start : start + _BLOCK] + _ODD
        for _ in range(2):
            mixed *= _ODD
            mixed ^= mixed >> np.uint64(32)
        before[start + 1 : start + 1 + mixed.size] = mixed
    np.cumsum(before, out=before)
    named: Names = before[rows.offsets[1:]] - before[rows.offsets[:-1]]
    return named


def names_of_pairs(left: Names, right: Names) -> Names:
    """Return a name for each pair of names; that of the pair turned round is another."""
    return window_hashes(np.stack([left, right], axis=1).ravel(), 2)[::2]


def recall_arrays(key: str) -> Arrays:
    """Return the arrays that were kept under a key; none if there are none."""
    now = _NOW.get()
    value = now.arrays.get(key) if now is not None else None
    if value is None:
        return {}
    with np.load(io.BytesIO(value), allow_pickle=False) as stored:
        return dict(stored)


def keep_arrays(key: str, **arrays: NDArray[Any]) -> None:
    """Keep arrays under a key, in place of those that are there."""
    now = _NOW.get()
    if now is not None:
        stream = io.BytesIO()
        np.savez(stream, allow_pickle=False, **arrays)
        now.arrays.put(key, stream.getvalue())
