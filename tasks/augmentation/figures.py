"""What augmentation did to the training rows, in numbers."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from tasks.augmentation.shift import Shift
from tasks.text.shingle_batch import normal_words

Row = Mapping[str, Any]


def measure(before: Sequence[Row], new: Sequence[Row], shifts: Sequence[Shift]) -> dict[str, float]:
    """Return rows per augmenter, the share, and how the rows changed.

    Args:
        before: The training rows that came in.
        new: The new rows.
        shifts: How far the rows moved.
    """
    per_augmenter = Counter(str(row["generator"]) for row in new)
    asked = [normal_words(str(row["question"])) for row in (*before, *new)]
    return {
        **{f"rows.{name}": n for name, n in sorted(per_augmenter.items())},
        "new_rows": len(new),
        "share": len(new) / max(len(before), 1),
        **_question_figures("before", asked[: len(before)]),
        **_question_figures("after", asked),
        **{f"shift.{s.measure}.before": s.before for s in shifts},
        **{f"shift.{s.measure}.after": s.after for s in shifts},
        **{
            f"shift.{s.measure}.divergence": s.divergence
            for s in shifts
            if s.divergence is not None
        },
        "shift.warnings": sum(bool(s.warning) for s in shifts),
    }


def _question_figures(when: str, questions: Sequence[Sequence[bytes]]) -> Mapping[str, float]:
    return {
        f"question_words.{when}": sum(map(len, questions)) / max(len(questions), 1),
        f"question_vocabulary.{when}": len(set(chain.from_iterable(questions))),
    }
