"""The closest row of another table, none missed: every pair that shares something is compared.

An inverted index as a sparse matrix product, block by block on both sides, so that memory is
bounded; equal rows are compared once. The cost is the sum over all pairs of what they share.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.text.hash_rows import HashRows
from tasks.text.remembered import names_of
from tasks.text.shingles import Hashes, places_in, union

Vector = NDArray[np.float32]
Numbers = NDArray[np.float64]
# From what each pair shares (1 at least), the sizes of the row and of the other. Where nothing
# is shared every measure is 0.
Measure = Callable[[Numbers, Numbers, Numbers], Numbers]

# Rows compared at once, of the left and of the right side. If all pairs of a block share
# something, they take 300 MB: numbers, places, measures.
BLOCK, OTHERS = 256, 32_768


@dataclass(frozen=True)
class Closest:
    """For each row on the left, its closest row on the right.

    Attributes:
        value: The highest measure; 0 where nothing is shared.
        index: Position of that row on the right; the first of equals.
    """

    value: NDArray[np.float64]
    index: NDArray[np.int64]


def closest_by_count(left: HashRows, right: HashRows) -> Closest:
    """Find for each left row the right row with the most hashes in common."""
    return _closest(left, right, lambda shared, own, other: shared)


def closest_by_jaccard(left: HashRows, right: HashRows) -> Closest:
    """Find for each left row the right row with the highest Jaccard similarity."""
    return _closest(
        left, right, lambda shared, own, other: shared / np.maximum(own + other - shared, 1.0)
    )


def closest_by_containment(left: HashRows, right: HashRows) -> Closest:
    """Find for each left row the right row that holds the largest share of its hashes.

    Broder 1997, "On the resemblance and containment of documents", section 2.
    """
    return _closest(left, right, lambda shared, own, other: shared / np.maximum(own, 1.0))


def closest_contained(left: HashRows, right: HashRows) -> Closest:
    """Find for each left row the right row of whose hashes it holds the largest share."""
    return _closest(left, right, lambda shared, own, other: shared / np.maximum(other, 1.0))


def closest_by_run(left: HashRows, right: HashRows, length: int) -> Closest:
    """Find for each left row the right row with the longest text in common, in characters.

    Args:
        left: Windows of `length` characters of each row.
        right: The same of the others.
        length: A run of n characters makes n - length + 1 windows. Several runs count as one.
    """
    return _closest(left, right, lambda shared, own, other: shared + length - 1)


def closest_by_cosine(left: Sequence[Vector], right: Sequence[Vector]) -> Closest:
    """Find for each left unit vector the right one with the largest dot product; 0 if negative."""
    value, index = np.zeros(len(left)), np.zeros(len(left), np.int64)
    for first in range(0, len(right), OTHERS):
        others = np.stack(right[first : first + OTHERS]).T
        for start in range(0, len(left), BLOCK):
            block = slice(start, start + BLOCK)
            measure = np.stack(left[block]) @ others
            found = Closest(measure.max(axis=1), measure.argmax(axis=1) + first)
            _keep_closer(value[block], index[block], found)
    return Closest(value, index)


def _keep_closer(value: Numbers, index: NDArray[np.int64], found: Closest) -> None:
    """Write what was found where it is closer than what is there."""
    closer = found.value > value
    value[closer], index[closer] = found.value[closer], found.index[closer]


def incidence(features: HashRows, vocabulary: Hashes) -> Any:
    """Return the sparse rows x vocabulary matrix of ones where a row has that hash.

    Hashes outside the vocabulary (sorted, distinct) are left out.
    """
    from scipy.sparse import csr_array

    places = places_in(vocabulary, features.hashes)
    known = np.flatnonzero(places >= 0)
    bounds, shape = np.searchsorted(known, features.offsets), (len(features), vocabulary.size)
    return csr_array((np.ones(known.size, np.int32), places[known], bounds), shape=shape)


def _closest(left: HashRows, right: HashRows, measured: Measure) -> Closest:
    if len(left) == len(right) == 1:
        return Closest(_of_pair(left[0], right[0], measured), np.zeros(1, np.int64))
    ours, inverse = _distinct(left)
    theirs, _ = _distinct(right)
    value, index = np.zeros(ours.size), np.zeros(ours.size, np.int64)
    rows, others = left.take(ours), right.take(theirs)
    # of the smaller side: what the other one has beside it is not shared
    smaller = min((rows.hashes, others.hashes), key=len)
    vocabulary = union([smaller])
    matrix = incidence(rows, vocabulary)
    own = rows.sizes.astype(np.float64)
    for first in range(0, theirs.size, OTHERS):
        part = others[first : first + OTHERS]
        columns, other = incidence(part, vocabulary).T.tocsr(), part.sizes.astype(np.float64)
        for start in range(0, ours.size, BLOCK):
            block = slice(start, start + BLOCK)
            found = _highest(matrix[block] @ columns, own[block], other, measured)
            _keep_closer(value[block], index[block], Closest(found.value, found.index + first))
    index = theirs[index] if theirs.size else index
    return Closest(value[inverse], index[inverse])


def _of_pair(own: Hashes, other: Hashes, measured: Measure) -> Numbers:
    """Return the measure of two sets; building an index for them costs a hundred times more."""
    both = np.intersect1d(own, other, assume_unique=True)
    shared, one, two = (np.array([row.size], np.float64) for row in (both, own, other))
    return measured(shared, one, two) if both.size else np.zeros(1)


def _highest(shared: Any, own: Numbers, other: Numbers, measured: Measure) -> Closest:
    """Return the highest measure of each row of a sparse matrix, and its first column."""
    value, index = np.zeros(own.size), np.zeros(own.size, np.int64)
    counts = np.diff(shared.indptr)
    filled = np.flatnonzero(counts)
    if not filled.size:
        return Closest(value, index)
    starts, places = shared.indptr[filled], shared.indices
    measure = measured(shared.data.astype(np.float64), np.repeat(own, counts), other[places])
    value[filled] = np.maximum.reduceat(measure, starts)
    highest = np.where(measure == np.repeat(value, counts), places, other.size)
    index[filled] = np.minimum.reduceat(highest, starts)
    return Closest(value, index)


def _distinct(features: HashRows) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first position of every distinct set, rising, and for each row which it has."""
    _, first, inverse = np.unique(names_of(features), return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty(order.size, np.int64)
    rank[order] = np.arange(order.size)
    return first[order], rank[inverse]
