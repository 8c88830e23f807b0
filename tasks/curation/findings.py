"""What a detector found between training rows and rows held out."""

from collections.abc import Sequence

from data_contracts.results import LeakageFinding
from tasks.text.detectors import Detector, Positions
from tasks.text.overlap import Closest


def finding(
    detector: Detector,
    split: str,
    train: Positions,
    held_out: Positions,
    identifiers: Sequence[str],
    closest: Closest | None = None,
) -> LeakageFinding:
    """Return how many held-out rows training rows give away, and the closest pair.

    Args:
        detector: The detector, over all rows.
        split: What the held-out rows are.
        train: Positions of the training rows.
        held_out: Positions of the held-out rows.
        identifiers: `example_id` of every row.
        closest: For each held-out row its closest training row, where that is known.
    """
    closest = closest or detector.closest(held_out, train)
    highest = float(closest.value.max(initial=0.0))
    found = LeakageFinding(
        detector=detector.name,
        split=split,
        threshold=detector.threshold,
        hits=int((closest.value >= detector.threshold).sum()),
        highest=highest,
    )
    if highest == 0.0:
        return found
    at = int(closest.value.argmax())
    ours, theirs = held_out[at], train[closest.index[at]]
    return found.model_copy(
        update={
            "train_id": identifiers[theirs],
            "held_out_id": identifiers[ours],
            "train_text": detector.texts[theirs],
            "held_out_text": detector.texts[ours],
        }
    )
