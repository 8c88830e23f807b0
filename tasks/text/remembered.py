"""What the last run made of texts: within `remembering` it is looked up, not made anew.

The results are the same with and without. A name says all that a result depends on beside
the code and the libraries, which are in the file's own name.
"""

import io
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
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
from tasks.text.hash_rows import HashRows, Names
from tasks.text.shingles import Hashes, window_hashes
from tasks.text.texts import Texts

# Raise when any code whose results are kept here gives other ones.
VERSION = 3

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class _Features:
    """The features of texts, in a folder's files: one for each kind."""

    folder: Path
    files: dict[str, FeatureFile] = field(default_factory=dict)

    def of_kind(self, kind: str) -> FeatureFile:
        """Return the features of a kind."""
        if kind not in self.files:
            name = digest([*_basis(), kind], length=32)
            self.files[kind] = FeatureFile(self.folder / f"{name}{SUFFIX}")
        return self.files[kind]

    def write(self, with_unused: bool = False) -> None:
        """Write what was used, of each kind of which anything was."""
        for file in self.files.values():
            file.write(with_unused)


@dataclass(frozen=True)
class _Remembered:
    """What is remembered of texts: their features, and arrays of numbers in a memo."""

    features: _Features
    arrays: Memo


_NOW: ContextVar[_Remembered | None] = ContextVar("what is remembered of features", default=None)
_SHARED: ContextVar[_Features | None] = ContextVar("features that stages share", default=None)


@contextmanager
def sharing_features(folder: Path) -> Iterator[None]:
    """Let all `remembering` within share a folder's features: stages see nearly the same texts.

    The files then hold what was used within; after an error, also what was there before.

    Raises:
        StorageError: The files cannot be written.
    """
    shared = _Features(folder)
    token = _SHARED.set(shared)
    try:
        yield
    except Exception:
        shared.write(with_unused=True)
        raise
    finally:
        _SHARED.reset(token)
    shared.write()


@contextmanager
def remembering(folder: Path) -> Iterator[None]:
    """Look up and keep features in a folder's files; they then hold what was used within.

    Raises:
        StorageError: The files cannot be written.
    """
    shared = _SHARED.get()
    with Memo(folder, _basis()) as memo:
        now = _Remembered(shared or _Features(folder), memo)
        token = _NOW.set(now)
        try:
            yield
        finally:
            _NOW.reset(token)
        if shared is None:
            now.features.write()


def _basis() -> list[object]:
    """Return all that features depend on beside the texts and the options."""
    libraries = [version(name) for name in ("numpy", "datasketch", "xxhash")]
    return ["features", VERSION, unicodedata.unidata_version, libraries]


def features(kind: str, texts: Iterable[str], make: Callable[[str], Hashes]) -> HashRows:
    """Return the hashes of each text; equal texts are worked on once.

    Args:
        kind: Names what is made, with its options.
        texts: Of what.
        make: Makes the hashes of one text.
    """
    now = _NOW.get()
    file = FeatureFile(None) if now is None else now.features.of_kind(kind)
    return file.of(Texts.of(texts), make)


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
