"""All earlier rows that are alike, none missed: of those that the last run compared, looked up."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from tasks.text.hash_rows import HashRows
from tasks.text.overlap import incidence
from tasks.text.remembered import keep_arrays, recall_arrays
from tasks.text.shingles import Hashes, union

# Sets compared with all others at once: bounds the memory of the sparse product.
_BLOCK = 128

_Near = set[tuple[int, int]]


def earlier_alike(features: Sequence[Hashes], threshold: float, use: str) -> list[list[int]]:
    """Return for each row the positions of earlier rows of that Jaccard similarity or a higher.

    Sets are known by their values: compared are new sets with all, and those of the last run
    not again. A row without hashes is like nothing.

    Args:
        features: Set of each row.
        threshold: Lowest similarity, above 0.
        use: Names the rows, so that each comparison of a run has a place of its own.
    """
    names: list[int] = HashRows.of(features).names.tolist()
    sets = {name: row for name, row in zip(names, features, strict=True) if row.size}
    key = f"alike {use} {threshold}"
    last = recall_arrays(key)
    known = set(last["names"].tolist()) if last else set()
    near: _Near = set()
    if last:
        pairs = zip(last["left"].tolist(), last["right"].tolist(), strict=True)
        near = {pair for pair in pairs if pair[0] in sets and pair[1] in sets}
    near |= set(_compared(sets, [name for name in sets if name not in known], threshold))
    left, right = (np.array([pair[side] for pair in sorted(near)], np.uint64) for side in (0, 1))
    keep_arrays(key, names=np.array(list(sets), np.uint64), left=left, right=right)
    return _positions(names, sets, near)


def _compared(
    sets: dict[int, Hashes], new: Sequence[int], threshold: float
) -> Iterator[tuple[int, int]]:
    """Yield the names of two sets that are alike and of which one at least is new."""
    if not new:
        return
    asked, others = HashRows.of(sets[name] for name in new), HashRows.of(sets.values())
    vocabulary = union([asked.hashes])
    columns = incidence(others, vocabulary).T.tocsr()
    rows = incidence(asked, vocabulary)
    names, held, own = list(sets), others.sizes, asked.sizes
    for start in range(0, len(new), _BLOCK):
        shared = (rows[start : start + _BLOCK] @ columns).toarray()
        either = own[start : start + _BLOCK, None] + held - shared
        for row, other in np.argwhere(shared >= threshold * np.maximum(either, 1.0)).tolist():
            pair = (new[start + row], names[other])
            if pair[0] != pair[1]:
                yield min(pair), max(pair)


def _positions(names: Sequence[int], sets: dict[int, Hashes], near: _Near) -> list[list[int]]:
    alike = {name: [name] for name in sets}
    for left, right in near:
        alike[left].append(right)
        alike[right].append(left)
    places: defaultdict[int, list[int]] = defaultdict(list)
    found = []
    for at, name in enumerate(names):
        found.append(sorted(place for other in alike.get(name, ()) for place in places[other]))
        places[name].append(at)
    return found
