"""Sets of hashes, one a row, in one array: a list of arrays without its cost for each row."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import overload

import numpy as np
from numpy.typing import NDArray

from tasks.text.shingles import EMPTY, Hashes, among

Places = NDArray[np.int64]
Names = NDArray[np.uint64]

# Multiplier of xxHash64 (Collet), odd: no two hashes become one in a product.
_ODD = np.uint64(0x9E3779B185EBCA87)

# Hashes mixed at once: they stay in the processor's cache.
_BLOCK = 1 << 15

# Rows put into order at once, each in as much room as the longest of them takes.
_SORTED = 1_024


@dataclass(frozen=True, eq=False)
class HashRows(Sequence[Hashes]):
    """Hashes of many rows, one row after another.

    Attributes:
        hashes: Of all rows.
        offsets: Shape (rows + 1,); row i has `hashes[offsets[i] : offsets[i + 1]]`.
    """

    hashes: Hashes
    offsets: Places

    @classmethod
    def of(cls, rows: Iterable[Hashes]) -> "HashRows":
        """Return single arrays as one; what is one already stays as it is."""
        if isinstance(rows, HashRows):
            return rows
        given = list(rows)
        counts = np.fromiter((row.size for row in given), np.int64, len(given))
        return cls(np.concatenate([EMPTY, *given]), offsets(counts))

    @classmethod
    def ones(cls, hashes: Hashes, given: NDArray[np.bool_]) -> "HashRows":
        """Return rows of one hash each, of none where it is not given."""
        return cls(hashes[given], offsets(given.astype(np.int64)))

    def __len__(self) -> int:
        return self.offsets.size - 1

    @overload
    def __getitem__(self, place: int) -> Hashes: ...
    @overload
    def __getitem__(self, place: slice) -> "HashRows": ...
    def __getitem__(self, place: int | slice) -> "Hashes | HashRows":
        """Return a row, or rows that follow each other; nothing is copied."""
        if isinstance(place, slice):
            first, last, step = place.indices(len(self))
            if step != 1:
                raise ValueError(f"Rows are sliced one by one, not by {step}.")
            return self._between(first, max(first, last))
        if not -len(self) <= place < len(self):
            raise IndexError(place)
        place %= len(self)
        return self.hashes[self.offsets[place] : self.offsets[place + 1]]

    def __iter__(self) -> Iterator[Hashes]:
        return (self.hashes[start:end] for start, end in pairwise(self.offsets.tolist()))

    @cached_property
    def sizes(self) -> Places:
        """How many hashes each row has."""
        return np.diff(self.offsets)

    @cached_property
    def names(self) -> Names:
        """A name for the set of each row: equal sets, equal names.

        The sum of its hashes, each mixed. Of 64 bits, as the hashes themselves: see
        `tasks.text.shingles` for what that risks.
        """
        before = np.zeros(self.hashes.size + 1, np.uint64)
        for start in range(0, self.hashes.size, _BLOCK):
            mixed = self.hashes[start : start + _BLOCK] + _ODD
            for _ in range(2):
                mixed *= _ODD
                mixed ^= mixed >> np.uint64(32)
            before[start + 1 : start + 1 + mixed.size] = mixed
        np.cumsum(before, out=before)
        named: Names = before[self.offsets[1:]] - before[self.offsets[:-1]]
        return named

    @property
    def owners(self) -> Places:
        """Return for each hash the place of its row."""
        return np.repeat(np.arange(len(self)), self.sizes)

    def rows_of(self, places: Places) -> Places:
        """Return which row each of some hashes is of, by their places among all hashes."""
        return np.searchsorted(self.offsets, places, side="right") - 1

    def sharing(self, hashes: Hashes) -> NDArray[np.bool_]:
        """Return which rows have any of some sorted distinct hashes."""
        found = np.zeros(len(self), np.bool_)
        found[self.rows_of(np.flatnonzero(among(self.hashes, hashes)))] = True
        return found

    def take(self, places: Places) -> "HashRows":
        """Return the rows at these places, in that order."""
        if places.size == 1:  # leaks are compared with one row each
            return self._between(int(places[0]), int(places[0]) + 1)
        return taken([self], places)

    def where(self, keep: NDArray[np.bool_]) -> "HashRows":
        """Return the rows with some hashes alone.

        Args:
            keep: Whether each hash stays.
        """
        gone = np.flatnonzero(~keep)
        if not gone.size:
            return self
        left = self.sizes - np.bincount(self.rows_of(gone), minlength=len(self))
        return HashRows(np.delete(self.hashes, gone), offsets(left))

    def ordered(self) -> "HashRows":
        """Return all rows, the hashes of each in order."""
        found = np.empty_like(self.hashes)
        for start in range(0, len(self), _SORTED):
            rows = self[start : start + _SORTED]
            held = np.arange(rows.sizes.max()) < rows.sizes[:, np.newaxis]
            table = np.full(held.shape, np.iinfo(np.uint64).max, np.uint64)
            table[held] = rows.hashes
            table.sort(axis=1)
            found[self.offsets[start] : self.offsets[start + len(rows)]] = table[held]
        return HashRows(found, self.offsets)

    def only(self, rows: NDArray[np.bool_]) -> "HashRows":
        """Return all rows, emptied where they are not marked."""
        if rows.all():
            return self
        kept = self.take(np.flatnonzero(rows))
        return HashRows(kept.hashes, offsets(np.where(rows, self.sizes, 0)))

    def _between(self, first: int, last: int) -> "HashRows":
        bounds = self.offsets[first : last + 1]
        return HashRows(self.hashes[bounds[0] : bounds[-1]], bounds - bounds[0])


def taken(parts: Sequence[HashRows], places: Places) -> HashRows:
    """Return rows of several parts, counted through from the first part to the last.

    Rows that follow each other are copied together; where all are wanted as they stand, none is.
    """
    starts = np.concatenate([[0], np.cumsum([len(part) for part in parts])])
    part_of = np.searchsorted(starts, places, side="right") - 1
    breaks = np.flatnonzero((np.diff(places) != 1) | (np.diff(part_of) != 0)) + 1
    found = []
    for first, last in pairwise([0, *breaks.tolist(), places.size]):
        if last > first:
            part, begin = int(part_of[first]), int(places[first] - starts[part_of[first]])
            found.append(parts[part][begin : begin + last - first])
    return joined(found)


def joined(parts: Sequence[HashRows]) -> HashRows:
    """Return the rows of several parts, one after the other, as one."""
    if len(parts) == 1:
        return parts[0]
    return HashRows(
        np.concatenate([EMPTY, *(part.hashes for part in parts)]),
        offsets(np.concatenate([np.empty(0, np.int64), *(part.sizes for part in parts)])),
    )


def offsets(sizes: Places) -> Places:
    """Return where each row begins, and at the end how many hashes there are."""
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes, dtype=np.int64)])
