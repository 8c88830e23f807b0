"""The closest rows of the last run, where both rows are still there: only new pairs are compared.

What is compared are sets of hashes, known by their values: a row whose features changed because
other rows did (template text) is a new row here. So the result is that of a fresh comparison.
"""

from dataclasses import dataclass

import numpy as np

from tasks.text.detectors import Detector, Positions
from tasks.text.overlap import Closest, closest_by_cosine
from tasks.text.remembered import Arrays, Names, keep_arrays, recall_arrays


@dataclass(frozen=True)
class _Sides:
    """Positions of the rows that are compared, and the names of their features."""

    rows: Positions
    others: Positions
    names: Names
    other_names: Names


def remembered_closest(
    detector: Detector, rows: Positions, others: Positions, use: str, like: str | None = None
) -> Closest:
    """Return what `Detector.closest` does, from what the last run found as far as it holds.

    Args:
        detector: The detector.
        rows: Positions of the rows for each of which the closest is wanted.
        others: Positions of the rows among which.
        use: Names the two sides, so that each comparison of a run has a place of its own.
        like: A comparison of many of the same rows, which holds where this one is new.
    """
    if detector.compare is closest_by_cosine:  # a product of matrices differs with their shape
        return detector.closest(rows, others)
    sides = _Sides(rows, others, detector.names[rows], detector.names_within[others])
    key, instead = (
        f"closest {name} {detector.name} {detector.threshold}" for name in (use, like or use)
    )
    found = _closest(detector, sides, recall_arrays(key) or recall_arrays(instead))
    best = np.where(found.value > 0, found.index, 0)
    names = sides.other_names[best] if others.size else sides.names[:0]
    keep_arrays(key, names=sides.names, others=sides.other_names, best=names, value=found.value)
    return found


def _closest(detector: Detector, sides: _Sides, last: Arrays) -> Closest:
    if not last or not _same_order(last["others"], sides.other_names):
        return detector.closest(sides.rows, sides.others)
    before = set(last["others"].tolist())
    names = enumerate(sides.other_names.tolist())
    new = np.array([place for place, name in names if name not in before], np.int64)
    found = _from_last(sides, last)
    stale = np.flatnonzero(found.index < 0)
    if new.size:
        fresh = np.flatnonzero(found.index >= 0)
        closer = detector.closest(sides.rows[fresh], sides.others[new])
        _merge(found, fresh, Closest(closer.value, new[closer.index]))
    if stale.size:
        anew = detector.closest(sides.rows[stale], sides.others)
        found.value[stale], found.index[stale] = anew.value, anew.index
    return found


def _same_order(before: Names, now: Names) -> bool:
    """Whether the rows that are still there come in the order they came in: the first wins."""
    places = _first_places(now)
    still = [places[name] for name in dict.fromkeys(before.tolist()) if name in places]
    return bool((np.diff(still) > 0).all())


def _first_places(names: Names) -> dict[bytes, int]:
    """Return where each name comes first: backwards, so that the first is written last."""
    listed: list[bytes] = names.tolist()
    return dict(zip(reversed(listed), reversed(range(len(listed))), strict=True))


def _from_last(sides: _Sides, last: Arrays) -> Closest:
    """Return the last result of each row; index -1 where it says nothing any more."""
    known = dict(
        zip(
            last["names"].tolist(),
            zip(last["best"].tolist(), last["value"].tolist(), strict=True),
            strict=True,
        )
    )
    places = _first_places(sides.other_names)
    value, index = np.zeros(sides.rows.size), np.full(sides.rows.size, -1, np.int64)
    for row, name in enumerate(sides.names.tolist()):
        best, measure = known.get(name, (b"", -1.0))
        if measure == 0.0:
            index[row] = 0
        elif measure > 0 and best in places:
            value[row], index[row] = measure, places[best]
    return Closest(value, index)


def _merge(found: Closest, rows: Positions, closer: Closest) -> None:
    """Write what is closer, or as close and earlier, than what is there."""
    value, index = found.value[rows], found.index[rows]
    better = (closer.value > value) | (
        (closer.value == value) & (value > 0) & (closer.index < index)
    )
    found.value[rows[better]] = closer.value[better]
    found.index[rows[better]] = closer.index[better]
