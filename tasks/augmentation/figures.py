"""What augmentation did to the training rows, in numbers."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from tasks.augmentation.shift import Shift
from tasks.text.normalise import normalise

Row = Mapping[str, Any]


def measure(before: Sequence[Row], new: Sequence[Row], shifts: Sequence[Shift]) -> dict[str, float]:
    """Return rows per augmenter, the share, and how the rows changed.

    Args:
        before: The training rows that came in.
        new: The new rows.
        shifts: How far the rows moved.
    """
    per_augmenter = Counter(str(row["generator"]) for row in new)
    return {
        **{f"rows.{name}": n for name, n in sorted(per_augmenter.items())},
        "new_rows": len(new),
        "share": len(new) / max(len(before), 1),
        **_question_figures("before", before),
        **_question_figures("after", [*before, *new]),
        **{f"shift.{s.measure}.before": s.before for s in shifts},
        **{f"shift.{s.measure}.after": s.after for s in shifts},
        **{
            f"shift.{s.measure}.divergence": s.divergence
            for s in shifts
            if s.divergence is not None
        },
        "shift.warnings": sum(bool(s.warning) for s in shifts),
    }


def _question_figures(when: str, rows: Sequence[Row]) -> Mapping[str, float]:
    words = [normalise(str(row["question"])).split() for row in rows]
    return {
        f"question_words.{when}": sum(map(len, words)) / max(len(words), 1),
        f"question_vocabulary.{when}": len({word for row in words for word in row}),
    }
