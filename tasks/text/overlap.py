"""The closest row of another table, none missed: every pair that shares something is compared.

An inverted index as a sparse matrix product, block by block on both sides, so that memory is
bounded; equal rows are compared once. The cost is the sum over all pairs of what they share.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.text.hash_rows import HashRows, Places
from tasks.text.shingles import Hashes, found_among, union

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


def closest_by_count(left: HashRows, right: HashRows, others: Places | None = None) -> Closest:
    """Find for each left row the right row with the most hashes in common.

    `others`, here and below: places of the right rows that count, where the left rows are few;
    they are looked through where they lie. The index is then into `others`.
    """
    return _closest(left, right, others, lambda shared, own, other: shared)


def closest_by_jaccard(left: HashRows, right: HashRows, others: Places | None = None) -> Closest:
    """Find for each left row the right row with the highest Jaccard similarity."""
    return _closest(left, right, others, _jaccard)


def closest_by_containment(
    left: HashRows, right: HashRows, others: Places | None = None
) -> Closest:
    """Find for each left row the right row that holds the largest share of its hashes.

    Broder 1997, "On the resemblance and containment of documents", section 2.
    """
    return _closest(left, right, others, lambda shared, own, other: shared / np.maximum(own, 1.0))


def closest_contained(left: HashRows, right: HashRows) -> Closest:
    """Find for each left row the right row of whose hashes it holds the largest share."""
    return _closest(left, right, None, lambda shared, own, other: shared / np.maximum(other, 1.0))


def closest_by_run(
    left: HashRows, right: HashRows, others: Places | None = None, *, length: int
) -> Closest:
    """Find for each left row the right row with the longest text in common, in characters.

    Args:
        left: Windows of `length` characters of each row.
        right: The same of the others.
        others: See `closest_by_count`.
        length: A run of n characters makes n - length + 1 windows. Several runs count as one.
    """
    return _closest(left, right, others, lambda shared, own, other: shared + length - 1)


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


def _jaccard(shared: Numbers, own: Numbers, other: Numbers) -> Numbers:
    return shared / np.maximum(own + other - shared, 1.0)


def incidence(features: HashRows, vocabulary: Hashes) -> Any:
    """Return the sparse rows x vocabulary matrix of ones where a row has that hash.

    Hashes outside the vocabulary (sorted, distinct) are left out.
    """
    from scipy.sparse import csr_array

    known, places = found_among(vocabulary, features.hashes)
    bounds, shape = np.searchsorted(known, features.offsets), (len(features), vocabulary.size)
    return csr_array((np.ones(known.size, np.int32), places, bounds), shape=shape)


def _closest(left: HashRows, right: HashRows, others: Places | None, measured: Measure) -> Closest:
    if others is not None:
        return _of_few(left, right, others, measured)
    if len(left) == len(right) == 1:
        return Closest(_of_pair(left[0], right[0], measured), np.zeros(1, np.int64))
    ours, inverse = _distinct(left)
    theirs, _ = _distinct(right)
    rows, columns = left.take(ours), right.take(theirs)
    # of the smaller side: what the other one has beside it is not shared
    vocabulary = union([min((rows.hashes, columns.hashes), key=len)])
    parts = (columns[first : first + OTHERS] for first in range(0, theirs.size, OTHERS))
    blocks = ((incidence(part, vocabulary), part.sizes) for part in parts)
    found = _over_blocks(rows, vocabulary, blocks, measured)
    index = theirs[found.index] if theirs.size else found.index
    return Closest(found.value[inverse], index[inverse])


def _of_few(few: HashRows, right: HashRows, others: Places, measured: Measure) -> Closest:
    """Compare few rows with many: what the many share with them is little, and all that is made."""
    vocabulary = union([few.hashes])
    shared = incidence(right, vocabulary)
    parts = (others[first : first + OTHERS] for first in range(0, others.size, OTHERS))
    blocks = ((shared[part], right.sizes[part]) for part in parts)
    return _over_blocks(few, vocabulary, blocks, measured)


def _over_blocks(
    rows: HashRows, vocabulary: Hashes, blocks: Iterable[tuple[Any, Places]], measured: Measure
) -> Closest:
    """Return the closest of the rows on the right, which come block by block.

    Args:
        rows: On the left.
        vocabulary: Hashes that can be shared.
        blocks: `incidence` of up to `OTHERS` rows, and their sizes.
        measured: The measure.
    """
    value, index = np.zeros(len(rows)), np.zeros(len(rows), np.int64)
    matrix, own, first = incidence(rows, vocabulary), rows.sizes.astype(np.float64), 0
    for part, sizes in blocks:
        columns, other = part.T.tocsr(), sizes.astype(np.float64)
        for start in range(0, len(rows), BLOCK):
            block = slice(start, start + BLOCK)
            found = _highest(matrix[block] @ columns, own[block], other, measured)
            _keep_closer(value[block], index[block], Closest(found.value, found.index + first))
        first += sizes.size
    return Closest(value, index)


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
    _, first, inverse = np.unique(features.names, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty(order.size, np.int64)
    rank[order] = np.arange(order.size)
    return first[order], rank[inverse]
