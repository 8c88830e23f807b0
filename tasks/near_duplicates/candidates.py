"""Which documents of a range of bands are compared.

In a bucket (documents with one band in common) of at most `neighbours` + 1 all are compared;
in a larger one each with the first and with the `neighbours` after it. The order within a
bucket is that of the texts' hashes, so it does not depend on the order of the input.
"""

from collections.abc import Iterator

import numpy as np

from tasks.near_duplicates.sketches import Rows
from tasks.text.shingles import Hashes


def repeated(keys: Hashes, rows: Rows) -> tuple[Hashes, Rows]:
    """Return the bands that more than one row has, in the order of their hashes.

    Most bands of most corpora are nobody else's; a sort by one key finds them three times
    as fast as the sort by two that pairing needs.
    """
    sequence = np.argsort(keys)
    keys = keys[sequence]
    keep = np.zeros(keys.size, bool)
    keep[1:] = keys[1:] == keys[:-1]
    keep[:-1] |= keep[1:]
    return keys[keep], rows[sequence[keep]]


def candidate_pairs(
    keys: Hashes, rows: Rows, order: Hashes, neighbours: int
) -> Iterator[tuple[Rows, Rows]]:
    """Yield blocks of pairs, each no longer than `keys`; a pair may come again.

    Args:
        keys: Hashes of bands.
        rows: Whose band each is.
        order: For each band a number by which its bucket is ordered: the hash of the text.
        neighbours: How many rows after it each row of a bucket is compared with.
    """
    sequence = np.lexsort((order, keys))
    keys, rows = keys[sequence], rows[sequence]
    places = np.arange(keys.size)
    new = np.ones(keys.size, bool)
    new[1:] = keys[1:] != keys[:-1]
    first = np.maximum.accumulate(np.where(new, places, 0))
    far = np.flatnonzero(places - first > neighbours)
    yield rows[first[far]], rows[far]
    left = places
    for step in range(1, neighbours + 1):
        left = left[left + step < keys.size]
        left = left[keys[left] == keys[left + step]]
        yield rows[left], rows[left + step]
