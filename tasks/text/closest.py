"""The closest rows of the last run, where both rows are still there: only new pairs are compared.

What is compared are sets of hashes, known by their values: a row whose features changed because
other rows did (template text) is a new row here. So the result is that of a fresh comparison.
"""

from dataclasses import dataclass

import numpy as np

from tasks.text.detectors import Detector, Positions
from tasks.text.hash_rows import Names
from tasks.text.overlap import Closest, closest_by_cosine
from tasks.text.remembered import Arrays, keep_arrays, recall_arrays
from tasks.text.shingles import among, places_in, union


@dataclass(frozen=True)
class _Sides:
    """Rows that are compared: the detectors over both tables, positions, names of features."""

    detector: Detector
    beside: Detector
    rows: Positions
    others: Positions
    names: Names
    other_names: Names

    def closest(self, rows: Positions, others: Positions) -> Closest:
        """Compare some of the rows, by their places, with some of the others."""
        return self.detector.closest(self.rows[rows], self.others[others], self.beside)


def remembered_closest(
    detector: Detector,
    rows: Positions,
    others: Positions,
    use: str,
    like: str | None = None,
    beside: Detector | None = None,
) -> Closest:
    """Return what `Detector.closest` does, from what the last run found as far as it holds.

    Args:
        detector: The detector.
        rows: Positions of the rows for each of which the closest is wanted.
        others: Positions of the rows among which.
        use: Names the two sides, so that each comparison of a run has a place of its own.
        like: A comparison of many of the same rows, which holds where this one is new.
        beside: The same detector over the table of the others, if that is another one.
    """
    if detector.compare is closest_by_cosine:  # a product of matrices differs with their shape
        return detector.closest(rows, others, beside)
    theirs = beside or detector
    names, other_names = detector.names[rows], theirs.names_within[others]
    sides = _Sides(detector, theirs, rows, others, names, other_names)
    key, instead = (
        f"closest {name} {detector.name} {detector.threshold}" for name in (use, like or use)
    )
    found = _closest(sides, recall_arrays(key) or recall_arrays(instead))
    best = np.where(found.value > 0, found.index, 0)
    closest = other_names[best] if others.size else np.zeros(rows.size, np.uint64)
    keep_arrays(key, names=names, others=other_names, best=closest, value=found.value)
    return found


def _closest(sides: _Sides, last: Arrays) -> Closest:
    rows, others = np.arange(sides.rows.size), np.arange(sides.others.size)
    if not last or not _same_order(last["others"], sides.other_names):
        return sides.closest(rows, others)
    new = np.flatnonzero(~among(sides.other_names, union([last["others"]])))
    found = _from_last(sides, last)
    stale = np.flatnonzero(found.index < 0)
    if new.size:
        fresh = np.flatnonzero(found.index >= 0)
        closer = sides.closest(fresh, new)
        _merge(found, fresh, Closest(closer.value, new[closer.index]))
    if stale.size:
        anew = sides.closest(stale, others)
        found.value[stale], found.index[stale] = anew.value, anew.index
    return found


def _same_order(before: Names, now: Names) -> bool:
    """Whether the rows that are still there come in the order they came in: the first wins."""
    once = before[np.sort(np.unique(before, return_index=True)[1])]
    places = _first_places(now, once)
    return bool((np.diff(places[places >= 0]) > 0).all())


def _first_places(names: Names, asked: Names) -> Positions:
    """Return where each asked name comes first among names; -1 where it does not."""
    values, first = np.unique(names, return_index=True)
    places = places_in(values, asked)
    return np.where(places >= 0, np.append(first, -1)[places], -1)


def _from_last(sides: _Sides, last: Arrays) -> Closest:
    """Return the last result of each row; index -1 where it says nothing any more."""
    known = _first_places(last["names"], sides.names)
    value = np.where(known >= 0, np.append(last["value"], 0.0)[known], 0.0)
    best = np.append(last["best"], np.uint64(0))[known]
    index = _first_places(sides.other_names, best)
    index = np.where(value > 0, index, 0)  # where nothing is shared there is no closest
    index[known < 0] = -1
    return Closest(np.where(index >= 0, value, 0.0), index)


def _merge(found: Closest, rows: Positions, closer: Closest) -> None:
    """Write what is closer, or as close and earlier, than what is there."""
    value, index = found.value[rows], found.index[rows]
    better = (closer.value > value) | (
        (closer.value == value) & (value > 0) & (closer.index < index)
    )
    found.value[rows[better]] = closer.value[better]
    found.index[rows[better]] = closer.index[better]
