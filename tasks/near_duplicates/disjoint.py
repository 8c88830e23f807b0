"""Disjoint sets of rows (union-find) in eight bytes a row."""

from array import array

import numpy as np
from numpy.typing import NDArray


class DisjointSets:
    """Rows that are joined one pair at a time.

    Path halving (Tarjan, van Leeuwen 1984); the smaller row becomes the root.

    Args:
        rows: How many there are; each begins as a set of its own.
    """

    def __init__(self, rows: int) -> None:
        self._parents = array("q", np.arange(rows, dtype=np.int64).tobytes())

    def root(self, row: int) -> int:
        """Return the row that stands for the set."""
        parents = self._parents
        while (parent := parents[row]) != row:
            parents[row] = row = parents[parent]
        return row

    def join(self, left: int, right: int) -> None:
        """Make one set of the sets of two rows."""
        left, right = self.root(left), self.root(right)
        self._parents[max(left, right)] = min(left, right)

    def surely_joined(self, left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return which pairs are seen at one glance to be in one set; a lower bound."""
        parents = np.frombuffer(self._parents, np.int64)
        return np.asarray(parents[left] == parents[right])

    def roots(self) -> NDArray[np.int64]:
        """Return the root of every row."""
        parents = np.frombuffer(self._parents, np.int64).copy()
        while not np.array_equal(above := parents[parents], parents):
            parents = above
        return parents
