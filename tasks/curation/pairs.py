"""All pairs of texts at or above a Jaccard similarity: MinHash LSH, then verified.

Rows with a band of their signatures in common are candidates; each is kept only if its true
Jaccard similarity reaches the threshold, so precision is 1. Recall is a matter of the bands.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tasks.text.hash_rows import HashRows, Names
from tasks.text.overlap import incidence
from tasks.text.remembered import Arrays, keep_arrays, recall_arrays
from tasks.text.shingles import Hashes, among, distinct, union
from tasks.text.signatures import band_hashes, bands, signatures

# Candidate pairs verified at once: bounds the memory of the sparse product.
BLOCK = 65_536

# Candidates of several bands are merged when so many have come together (32 MB): sorting all
# that there are after each band took most of curation's time.
MERGE_ABOVE = 1 << 22


Numbers = NDArray[np.float64]


class Pair(NamedTuple):
    """Positions of two similar rows, left < right, and their true Jaccard similarity."""

    left: int
    right: int
    similarity: float


class Sets(NamedTuple):
    """Distinct sets of hashes, in the order of their names.

    Attributes:
        features: Sets of rows.
        rows: A row that has each.
        names: Of the sets.
    """

    features: HashRows
    rows: NDArray[np.int64]
    names: Names

    def take(self, places: NDArray[np.int64]) -> HashRows:
        """Return some of the sets."""
        return self.features.take(self.rows[places])


class Last(NamedTuple):
    """What the last run found among sets that are there still.

    Attributes:
        pairs: Positions of pairs of sets as they are now, shape (n, 2).
        places: Of which of its pairs each was.
        new: For each set whether the last run had it not.
        kept: All that it kept.
    """

    pairs: NDArray[np.int64]
    places: NDArray[np.int64]
    new: NDArray[np.bool_]
    kept: Arrays


def similar_pairs(
    features: HashRows, threshold: float, num_perm: int, seed: int, use: str = ""
) -> list[Pair]:
    """Return every found pair of rows whose Jaccard similarity reaches the threshold, in order.

    Pairs of sets that the last run compared are looked up (`tasks.text.remembered`): compared
    are new sets with all.

    Args:
        features: Set of each row.
        threshold: Lowest similarity.
        num_perm: Permutations of MinHash.
        seed: Of these.
        use: Names the rows, so that each search of a run has a place of its own.
    """
    rows = np.flatnonzero(features.sizes > 0)
    names = features.names[rows]
    distinct, first, inverse = np.unique(names, return_index=True, return_inverse=True)
    sets = Sets(features, rows[first], distinct)
    key = f"{use} {threshold} {num_perm} {seed}"
    known = last_pairs(key, distinct)
    keys = _band_keys(key, sets, bands(threshold, num_perm), (num_perm, seed))
    left, right = _candidates(keys, known.new)
    measured = _jaccard(sets, left, right)
    enough = measured >= threshold
    pairs = np.concatenate([known.pairs, np.stack([left, right], axis=1)[enough]])
    before = known.kept.get("similarity", np.empty(0))[known.places]
    similarity = np.concatenate([before, measured[enough]])
    keep_arrays(f"pairs {key}", names=distinct, pairs=pairs, similarity=similarity)
    return _of_rows(pairs, similarity, rows, inverse)


def last_pairs(key: str, names: Names) -> Last:
    """Return the pairs that the last run kept under a key, of sets that are there still.

    Args:
        key: Names the comparison.
        names: Of the sets there are now, sorted and distinct.
    """
    last = recall_arrays(f"pairs {key}")
    if not last:
        none = np.empty(0, np.int64)
        return Last(none.reshape(0, 2), none, np.ones(names.size, bool), last)
    still = np.flatnonzero(among(last["names"], names)[last["pairs"]].all(axis=1))
    pairs = np.searchsorted(names, last["names"][last["pairs"][still]])
    new = ~among(names, last["names"])
    return Last(pairs.astype(np.int64).reshape(-1, 2), still, new, last)


def expanded(
    pairs: NDArray[np.int64], inverse: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows that have the sets of pairs: left, right, and of which pair.

    Args:
        pairs: Positions of sets, shape (n, 2).
        inverse: Which set each row has.
    """
    counts = np.bincount(inverse)
    order, starts = np.argsort(inverse, kind="stable"), np.cumsum(counts) - counts
    left, right = pairs.T
    times = counts[left] * counts[right]
    of = np.repeat(np.arange(len(pairs)), times)
    number = np.arange(of.size) - np.repeat(np.cumsum(times) - times, times)
    one = order[starts[left[of]] + number // counts[right[of]]]
    other = order[starts[right[of]] + number % counts[right[of]]]
    return one, other, of


def _of_rows(
    pairs: NDArray[np.int64],
    similarity: Numbers,
    rows: NDArray[np.int64],
    inverse: NDArray[np.int64],
) -> list[Pair]:
    """Return the pairs of rows that have the sets of these pairs, or the same set twice."""
    same = np.flatnonzero(np.bincount(inverse) > 1)
    together = np.concatenate([pairs, np.stack([same, same], axis=1)])
    measured = np.concatenate([similarity, np.ones(same.size)])
    left, right, of = expanded(together, inverse)
    once = (together[of, 0] != together[of, 1]) | (left < right)
    one, other = rows[left[once]], rows[right[once]]
    low, high = np.minimum(one, other), np.maximum(one, other)
    ranked = np.lexsort((high, low))
    columns = (low[ranked], high[ranked], measured[of][once][ranked])
    return [Pair(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]


def _candidates(
    found: Hashes, new: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return all pairs with a new set in them that share a band, left < right, in order."""
    pairs = [np.empty(0, np.int64)]
    for keys in found.T:
        near = np.flatnonzero(among(keys, distinct(keys[new])))
        for one, other in _equal(keys[near]):
            left, right = near[one], near[other]
            asked = new[left] | new[right]
            pairs.append(left[asked] * len(new) + right[asked])
        if sum(part.size for part in pairs[1:]) > MERGE_ABOVE:
            pairs = [distinct(np.concatenate(pairs))]
    left, right = np.divmod(distinct(np.concatenate(pairs)), max(new.size, 1))
    return left, right


def _band_keys(
    key: str, sets: Sets, shape: tuple[int, int], permutations: tuple[int, int]
) -> Hashes:
    """Return the bands of each set, shape (sets, bands), made of those alone that are new."""
    last, names = recall_arrays(f"bands {key}"), sets.names
    found = np.empty((names.size, shape[0]), np.uint64)
    known = among(names, last["names"]) if last else np.zeros(names.size, bool)
    if known.any():
        found[known] = last["bands"][np.searchsorted(last["names"], names[known])]
    new = sets.take(np.flatnonzero(~known))
    found[~known] = band_hashes(signatures(new, *permutations), *shape)
    keep_arrays(f"bands {key}", names=names, bands=found)
    return found


def _equal(keys: Hashes) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield all pairs of equal keys: those next to each other in order, then one apart, ..."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    first, step = np.arange(keys.size), 1
    while (first := first[first + step < keys.size]).size:
        first = first[ordered[first] == ordered[first + step]]
        yield order[first], order[first + step]
        step += 1


def _jaccard(sets: Sets, left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.float64]:
    # of the rows in pairs only, which are few
    named, place = np.unique(np.concatenate([left, right]), return_inverse=True)
    left, right = place[: left.size], place[left.size :]
    paired = sets.take(named)
    matrix = incidence(paired, union([paired.hashes]))
    held = paired.sizes.astype(np.float64)
    result = np.zeros(left.size)
    for start in range(0, left.size, BLOCK):
        block = slice(start, start + BLOCK)
        both = matrix[left[block]].multiply(matrix[right[block]])
        shared = np.asarray(both.sum(axis=1), np.float64).ravel()
        result[block] = shared / (held[left[block]] + held[right[block]] - shared)
    return result
