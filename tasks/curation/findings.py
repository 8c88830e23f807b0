"""What a detector found between training rows and rows held out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from data_contracts.results import GivenAway, LeakageFinding
from tasks.text.detectors import Detector, Positions
from tasks.text.overlap import Closest


@dataclass(frozen=True)
class Side:
    """Rows that are compared with others.

    Attributes:
        detector: The detector over their table.
        positions: Which rows of it.
        identifiers: `example_id` of every row of it.
    """

    detector: Detector
    positions: Positions
    identifiers: Sequence[str]


def finding(
    split: str,
    held_out: Side,
    train: Side,
    closest: Closest | None = None,
    given_by: str = "train",
) -> LeakageFinding:
    """Return which held-out rows training rows give away, and the closest pair.

    Args:
        split: What the held-out rows are.
        held_out: These rows.
        train: The training rows.
        closest: For each held-out row its closest training row, where that is known.
        given_by: The split of the other rows, where it is another one.
    """
    detector = held_out.detector
    closest = closest or detector.closest(held_out.positions, train.positions, train.detector)
    highest = float(closest.value.max(initial=0.0))
    given_away = _given_away(held_out, train, closest)
    found = LeakageFinding(
        detector=detector.name,
        split=split,
        given_by=given_by,
        threshold=detector.threshold,
        hits=len(given_away),
        highest=highest,
        given_away=given_away,
    )
    if highest == 0.0:
        return found
    at = int(closest.value.argmax())
    ours, theirs = held_out.positions[at], train.positions[closest.index[at]]
    return found.model_copy(
        update={
            "train_id": train.identifiers[theirs],
            "held_out_id": held_out.identifiers[ours],
            "train_text": train.detector.texts[theirs],
            "held_out_text": detector.texts[ours],
        }
    )


def _given_away(held_out: Side, train: Side, closest: Closest) -> list[GivenAway]:
    """Return the held-out rows at or above the threshold, each with its closest training row."""
    return [
        GivenAway(
            held_out_id=held_out.identifiers[held_out.positions[hit]],
            train_id=train.identifiers[train.positions[closest.index[hit]]],
            similarity=closest.value[hit],
        )
        for hit in np.flatnonzero(closest.value >= held_out.detector.threshold).tolist()
    ]
