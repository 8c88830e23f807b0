"""MinHash signatures of many sets at once, bit for bit those of datasketch's `affine32`.

datasketch gives the permutations; the work is done here in one pass per set without its
cost per object. Bands of a signature propose pairs of similar sets (MinHash LSH).
"""

from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tasks.text.hash_rows import HashRows
from tasks.text.shingles import Hashes, window_hashes

Signatures = NDArray[np.uint32]  # shape (sets, permutations)

# Of the pairs exactly at the threshold, this share must become candidates.
RECALL = 0.999

# Hashes permuted at once: 1024 x 128 x 4 bytes lie in the second-level cache.
BLOCK = 1024

# Finaliser of MurmurHash3 (Appleby), which datasketch applies to every hash of 32 bits.
_FINAL = ((16, 0x85EBCA6B), (13, 0xC2B2AE35))


def signatures(batch: HashRows, num_perm: int, seed: int) -> Signatures:
    """Return the MinHash signature of each set; that of an empty set is all ones.

    The upper 32 bits of each hash are what is permuted.
    """
    factors, terms = _permutations(num_perm, seed)
    codes = _finalise((batch.hashes >> np.uint64(32)).astype(np.uint32))
    bounds = batch.offsets.tolist()
    result = np.full((len(bounds) - 1, num_perm), np.uint32(0xFFFFFFFF))
    for row, (start, end) in enumerate(pairwise(bounds)):
        for first in range(start, end, BLOCK):
            permuted = codes[first : min(first + BLOCK, end), None] * factors
            permuted += terms
            np.minimum(result[row], permuted.min(axis=0), out=result[row])
    return result


def bands(threshold: float, num_perm: int) -> tuple[int, int]:
    """Return bands and rows a band: the most selective that still finds `RECALL` of the pairs.

    A pair of similarity s becomes a candidate with probability 1 - (1 - s^r)^b
    (Leskovec, Rajaraman, Ullman, Mining of Massive Datasets, 3.4.2). datasketch's own
    choice weighs misses and false candidates alike; since candidates are verified, only
    misses hurt.
    """
    for rows in range(num_perm // 2, 1, -1):
        count = num_perm // rows
        if 1 - (1 - threshold**rows) ** count >= RECALL:
            return count, rows
    return num_perm, 1


def band_hashes(found: Signatures, count: int, rows: int) -> Hashes:
    """Return a 64-bit hash of each band, shape (sets, count); different bands never match.

    Two bands that differ get the same hash with probability 2^-64: a candidate too many.
    """
    columns = [
        window_hashes(_codes(found[:, band * rows : (band + 1) * rows], band), rows + 1)[
            :: rows + 1
        ]
        for band in range(count)
    ]
    return np.stack(columns, axis=1)


def _codes(part: Signatures, band: int) -> Hashes:
    numbered = np.full((part.shape[0], part.shape[1] + 1), band, np.uint64)
    numbered[:, 1:] = part
    return numbered.ravel()


@cache
def _permutations(num_perm: int, seed: int) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    from datasketch import MinHash

    factors, terms = MinHash(num_perm, seed=seed, scheme="affine32").permutations
    return factors.astype(np.uint32), terms.astype(np.uint32)


def _finalise(codes: NDArray[np.uint32]) -> NDArray[np.uint32]:
    for shift, multiplier in _FINAL:
        codes = (codes ^ (codes >> np.uint32(shift))) * np.uint32(multiplier)
    return codes ^ (codes >> np.uint32(16))
