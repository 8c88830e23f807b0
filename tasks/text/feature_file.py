"""The features of texts, in one mapped file for each kind: those of the last run are looked up.

A text is known by its hash, so the file says nothing of it. It holds what the last run used, no
more, in the order in which it was used: where nothing changed, the features are the file itself.
"""

from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_contracts.errors import StorageError
from tasks.text.hash_rows import HashRows, Places, offsets, taken
from tasks.text.shingles import EMPTY, Hashes, distinct, places_in
from tasks.text.texts import Texts
from tasks.whole_file import whole_file

# The file: these three numbers (the first says what it is, then how many texts and hashes), the
# texts' names, the bounds of their features, the features. All of 64 bits.
_MAGIC, _HEADER = np.uint64(int.from_bytes(b"features")), 3

# Tables that are remembered as they were given: the next stage asks for many of them again.
_GIVEN = 4

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
        self._names, self._parts = (EMPTY, []) if path is None else _read(path)
        self._order = np.argsort(self._names, kind="stable")
        self._stored = distinct(self._names.copy())
        self._used: list[Hashes] = []
        self._given: deque[tuple[Hashes, HashRows]] = deque(maxlen=_GIVEN)

    def of(self, texts: Texts, make: Callable[[str], Hashes]) -> HashRows:
        """Return the features of each text; equal texts are worked on once.

        Args:
            texts: Of what.
            make: Makes the features of one text.
        """
        names = texts.names
        for given, rows in self._given:
            if np.array_equal(given, names):
                return rows
        places = self._places(names)
        new = np.flatnonzero(places < 0)
        if new.size:
            once = new[np.sort(np.unique(names[new], return_index=True)[1])]
            self._parts.append(HashRows.of(make(texts[row]) for row in once.tolist()))
            self._names = np.concatenate([self._names, names[once]])
            self._order = np.argsort(self._names, kind="stable")
            places = self._places(names)
        self._used.append(names)
        rows = taken(self._parts, places)
        self._given.append((names, rows))
        return rows

    def _places(self, names: Hashes) -> Places:
        """Return where the features of each name are, counted through all parts; -1 for none."""
        found = places_in(self._names[self._order], names)
        return np.where(found >= 0, np.append(self._order, -1)[found], -1)

    def write(self, with_unused: bool = False) -> None:
        """Replace the file by what was used since it was read, if that is anything else.

        Args:
            with_unused: Keep what was there and was not used too.

        Raises:
            StorageError: It cannot be written.
        """
        used = np.concatenate([EMPTY, *self._used, *([self._names] if with_unused else [])])
        if self._path is None or np.array_equal(distinct(used.copy()), self._stored):
            return
        try:
            with whole_file(self._path) as raw:
                for array in self._arrays(used):
                    raw.write(array.data)
        except OSError as problem:
            raise StorageError(
                f"Cannot write {self._path}: {problem}. Free disk space or set TEMPER_HOME to "
                "another disk, then run again."
            ) from problem

    def _arrays(self, used: Hashes) -> Iterator[NDArray[Any]]:
        """Yield what the file holds, one after the other."""
        names = used[np.sort(np.unique(used, return_index=True)[1])]
        places = self._places(names)
        sizes = np.concatenate([np.empty(0, np.int64), *(part.sizes for part in self._parts)])
        bounds = offsets(sizes[places])
        fit = int(np.searchsorted(bounds, MOST_BYTES // 8, side="right")) - 1
        yield np.array([_MAGIC, fit, bounds[fit]], np.uint64)
        yield names[:fit]
        yield bounds[: fit + 1]
        for start in range(0, fit, _BATCH):
            yield taken(self._parts, places[start : min(start + _BATCH, fit)]).hashes


def _read(path: Path) -> tuple[Hashes, list[HashRows]]:
    """Return the names and features of a file; a missing or damaged one counts as none."""
    try:
        mapped = np.memmap(path, np.uint64, mode="r")
    except (OSError, ValueError):  # numpy says the latter of an empty file
        return EMPTY, []
    words = np.asarray(mapped)
    if words.size < _HEADER or words[0] != _MAGIC or words.size != _words(*words[1:_HEADER]):
        return EMPTY, []
    rows = int(words[1])
    names, bounds, hashes = np.split(words[_HEADER:], [rows, 2 * rows + 1])
    return names, [HashRows(hashes, bounds.view(np.int64))]


def _words(rows: np.uint64, hashes: np.uint64) -> int:
    """Return how many numbers of 64 bits a file holds."""
    return _HEADER + 2 * int(rows) + 1 + int(hashes)
