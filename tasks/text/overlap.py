"""The closest row of another table, by brute force: every pair is compared.

Sparse matrix products, block by block; equal rows are compared once. The cost is the sum
over all pairs of what they share. Beyond some 20,000 rows an index is needed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.text.shingles import EMPTY, Hashes

# Rows compared at once: 256 x 20,000 pairs of float64 are 40 MB.
BLOCK = 256


@dataclass(frozen=True)
class Closest:
    """For each row on the left, its closest row on the right.

    Attributes:
        value: The highest measure; 0 where nothing is shared.
        index: Position of that row on the right; the first of equals.
    """

    value: NDArray[np.float64]
    index: NDArray[np.int64]


def closest_by_count(left: Sequence[Hashes], right: Sequence[Hashes]) -> Closest:
    """Find for each left row the right row with the most hashes in common."""
    return _closest(left, right, as_jaccard=False)


def closest_by_jaccard(left: Sequence[Hashes], right: Sequence[Hashes]) -> Closest:
    """Find for each left row the right row with the highest Jaccard similarity."""
    return _closest(left, right, as_jaccard=True)


def incidence(features: Sequence[Hashes], vocabulary: Hashes) -> Any:
    """Return the sparse rows x vocabulary matrix of ones where a row has that hash.

    Hashes outside the vocabulary (sorted, distinct) are left out.
    """
    from scipy.sparse import csr_array

    hashes = np.concatenate([EMPTY, *features])
    owners = np.repeat(np.arange(len(features)), [row.size for row in features])
    known = np.isin(hashes, vocabulary)
    columns = np.searchsorted(vocabulary, hashes[known])
    shape = (len(features), vocabulary.size)
    return csr_array((np.ones(columns.size, np.int32), (owners[known], columns)), shape=shape)


def _closest(left: Sequence[Hashes], right: Sequence[Hashes], as_jaccard: bool) -> Closest:
    ours, inverse = _distinct(left)
    theirs, _ = _distinct(right)
    value, index = np.zeros(len(ours)), np.zeros(len(ours), np.int64)
    if not ours.size or not theirs.size:
        return Closest(value[inverse], index[inverse])
    rows = [left[i] for i in ours]
    vocabulary = np.unique(np.concatenate(rows))
    matrix = incidence(rows, vocabulary)
    columns = incidence([right[i] for i in theirs], vocabulary).T.tocsr()
    own = np.array([row.size for row in rows], np.float64)
    other = np.array([right[i].size for i in theirs], np.float64)
    for start in range(0, len(ours), BLOCK):
        block = slice(start, start + BLOCK)
        measure = (matrix[block] @ columns).toarray().astype(np.float64)
        if as_jaccard:
            measure /= np.maximum(own[block, None] + other - measure, 1.0)
        value[block], index[block] = measure.max(axis=1), theirs[measure.argmax(axis=1)]
    return Closest(value[inverse], index[inverse])


def _distinct(features: Sequence[Hashes]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first position of every distinct set, and for each row which set it has."""
    number: dict[bytes, int] = {}
    inverse = [number.setdefault(row.tobytes(), len(number)) for row in features]
    first = np.unique(np.array(inverse, np.int64), return_index=True)[1]
    return first.astype(np.int64), np.array(inverse, np.int64)
