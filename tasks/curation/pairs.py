"""All pairs of texts at or above a Jaccard similarity: MinHash LSH, then verified.

LSH by datasketch proposes candidates; each is kept only if its true Jaccard similarity
reaches the threshold, so precision is 1. Recall is a matter of the bands, see `bands`.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from datasketch import MinHash, MinHashLSH
from numpy.typing import NDArray

from tasks.text.overlap import incidence
from tasks.text.shingles import EMPTY, Hashes

# Signatures of other schemes or hash functions cannot be compared: both are fixed here.
SCHEME = "affine32"

# Of the pairs exactly at the threshold, this share must become candidates.
RECALL = 0.999

# Candidate pairs verified at once: bounds the memory of the sparse product.
BLOCK = 65_536


class Pair(NamedTuple):
    """Positions of two similar rows, left < right, and their true Jaccard similarity."""

    left: int
    right: int
    similarity: float


def bands(threshold: float, num_perm: int) -> tuple[int, int]:
    """Return bands and rows a band: the most selective that still finds `RECALL` of the pairs.

    A pair of similarity s becomes a candidate with probability 1 - (1 - s^r)^b
    (Leskovec, Rajaraman, Ullman, Mining of Massive Datasets, 3.4.2). datasketch's own
    choice weighs misses and false candidates alike; since candidates are verified, only
    misses hurt.
    """
    for rows in range(num_perm // 2, 1, -1):  # datasketch wants two bands at least
        count = num_perm // rows
        if 1 - (1 - threshold**rows) ** count >= RECALL:
            return count, rows
    return num_perm, 1


def similar_pairs(
    features: Sequence[Hashes], threshold: float, num_perm: int, seed: int
) -> list[Pair]:
    """Return every found pair of rows whose Jaccard similarity reaches the threshold."""
    left, right = _candidates(features, threshold, num_perm, seed)
    similarity = _jaccard(features, left, right)
    rows = zip(left.tolist(), right.tolist(), similarity.tolist(), strict=True)
    return [Pair(*row) for row in rows if row[2] >= threshold]


def _candidates(
    features: Sequence[Hashes], threshold: float, num_perm: int, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    lsh = MinHashLSH(num_perm=num_perm, params=bands(threshold, num_perm))
    # Shingles are hashes already (xxhash or mixed): datasketch need not hash them again.
    signatures = MinHash.generator(
        ((row >> np.uint64(32)).tolist() for row in features),
        num_perm=num_perm,
        seed=seed,
        hashfunc=int,
        scheme=SCHEME,
    )
    found: list[tuple[int, int]] = []
    for index, (row, signature) in enumerate(zip(features, signatures, strict=True)):
        if row.size:
            found.extend((earlier, index) for earlier in lsh.query(signature))
            lsh.insert(index, signature)
    pairs = np.array(sorted(found), np.int64).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def _jaccard(
    features: Sequence[Hashes], left: NDArray[np.int64], right: NDArray[np.int64]
) -> NDArray[np.float64]:
    matrix = incidence(features, np.unique(np.concatenate([EMPTY, *features])))
    sizes = np.array([row.size for row in features], np.float64)
    result = np.zeros(left.size)
    for start in range(0, left.size, BLOCK):
        block = slice(start, start + BLOCK)
        both = matrix[left[block]].multiply(matrix[right[block]])
        shared = np.asarray(both.sum(axis=1), np.float64).ravel()
        result[block] = shared / (sizes[left[block]] + sizes[right[block]] - shared)
    return result
