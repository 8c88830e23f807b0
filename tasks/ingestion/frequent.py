"""What many of a great number of sets share, found in little memory."""

from collections.abc import Iterable, Set
from math import ceil


def frequent_items(sets: Iterable[Set[str]], share: float) -> tuple[frozenset[str], int]:
    """Return all items that more than `share` of the sets hold, and how many sets there are.

    Lossy counting (Manku and Motwani, "Approximate frequency counts over data streams", VLDB
    2002, section 4.2), a set being one step: no such item is missed, some rarer ones are
    returned too, and of the many items that one set alone holds nothing is kept. What is
    returned is to be counted in a second pass.

    Args:
        sets: The sets, read once.
        share: Between 0 and 1.
    """
    width = ceil(2 / share)  # so that counts are short by at most half the share
    counts: dict[str, int] = {}
    bucket, total = 1, 0
    for total, items in enumerate(sets, start=1):
        for item in items:
            # an item that is new now may have been dropped in every bucket before this one
            counts[item] = counts.get(item, bucket - 1) + 1
        if total % width == 0:
            counts = {item: most for item, most in counts.items() if most > bucket}
            bucket += 1
    return frozenset(item for item, most in counts.items() if most > share * total), total
