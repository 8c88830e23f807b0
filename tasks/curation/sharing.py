"""All pairs of rows that share enough of their hashes, none missed: an inverted index.

The cost is what rows share, which is little once template text is left out. Pairs of rows that
the last run compared are looked up (`tasks.text.remembered`): compared are new rows with all.
"""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from tasks.curation.pairs import Numbers, Sets, expanded, last_pairs
from tasks.text.hash_rows import HashRows, Names
from tasks.text.overlap import incidence
from tasks.text.remembered import keep_arrays, names_of_pairs
from tasks.text.shingles import union

# Rows looked for at once in all others.
BLOCK = 1_024

# From what each pair shares and the sizes of both: which pairs share enough.
Enough = Callable[[Numbers, Numbers, Numbers], NDArray[np.bool_]]

Mask = NDArray[np.bool_]


def contained_pairs(own: HashRows, within: HashRows, threshold: float) -> NDArray[np.int64]:
    """Return positions (n, 2) of rows and of the rows that hold that share of their hashes.

    Args:
        own: What to look for of each row.
        within: What each row holds.
        threshold: Lowest share, above 0.
    """
    names = names_of_pairs(own.names, within.names)
    return _pairs(
        f"contained {threshold}",
        (own, within, names),
        lambda shared, looked_for, held: shared >= threshold * looked_for,
    )


def jaccard_pairs(features: HashRows, threshold: float) -> NDArray[np.int64]:
    """Return positions (n, 2) of all pairs of rows at that Jaccard similarity, left < right.

    For sparse features; for others `similar_pairs` is faster.
    """
    found = _pairs(
        f"alike {threshold}",
        (features, features, features.names),
        lambda shared, one, other: shared >= threshold * (one + other - shared),
    )
    return found[found[:, 0] < found[:, 1]]


def _pairs(key: str, rows: tuple[HashRows, HashRows, Names], enough: Enough) -> NDArray[np.int64]:
    """Return positions (n, 2) of rows of which the second holds enough of the first.

    Args:
        key: Names the comparison.
        rows: What to look for, in what, and a name of both for each row.
        enough: What counts.
    """
    all_own, all_within, names = rows
    distinct, first, inverse = np.unique(names, return_index=True, return_inverse=True)
    own, within = Sets(all_own, first, distinct), Sets(all_within, first, distinct)
    known = last_pairs(key, distinct)
    new = np.flatnonzero(known.new)
    found = np.concatenate(
        [
            known.pairs,
            _compared(own, within, (new, np.arange(distinct.size)), enough),
            _compared(own, within, (np.flatnonzero(~known.new), new), enough),
        ]
    )
    keep_arrays(f"pairs {key}", names=distinct, pairs=found)
    return np.stack(expanded(found, inverse)[:2], axis=1)


def _compared(
    own: Sets, within: Sets, sides: tuple[NDArray[np.int64], NDArray[np.int64]], enough: Enough
) -> NDArray[np.int64]:
    """Return the pairs (n, 2) of sets of one side and of the other that share enough."""
    # in the order of the rows: those that follow each other are taken together
    rows, others = (side[np.argsort(own.rows[side])] for side in sides)
    left, right = own.take(rows), within.take(others)
    looked_for, held = left.sizes.astype(np.float64), right.sizes.astype(np.float64)
    found = [np.empty((0, 2), np.int64)]
    for one, other, shared in _sharing(left, right):
        of = enough(shared, looked_for[one], held[other])
        found.append(np.stack([rows[one[of]], others[other[of]]], axis=1))
    return np.concatenate(found)


def _sharing(
    own: HashRows, within: HashRows
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], Numbers]]:
    """Yield positions on both sides of what shares something, and how many hashes it shares."""
    # of the shorter side: what the other has beside it is not shared
    vocabulary = union([own.hashes if len(own) <= len(within) else within.hashes])
    rows, columns = incidence(own, vocabulary), incidence(within, vocabulary).T.tocsr()
    for start in range(0, len(own), BLOCK):
        shared = (rows[start : start + BLOCK] @ columns).tocoo()
        left, right = (axis.astype(np.int64) for axis in shared.coords)
        yield left + start, right, shared.data.astype(np.float64)
