"""What augmentation did to the training rows, in numbers."""

from collections import Counter
from collections.abc import Mapping, Sequence

from tasks.text.normalise import normalise


def measure(before: Sequence[str], new: Sequence[str], names: Sequence[str]) -> dict[str, float]:
    """Return rows per augmenter, the share, and how the questions changed.

    Args:
        before: Questions of the original training rows.
        new: Questions of the new rows.
        names: Augmenter of each new row.
    """
    per_augmenter = {f"rows.{name}": n for name, n in sorted(Counter(names).items())}
    return {
        **per_augmenter,
        "new_rows": len(new),
        "share": len(new) / max(len(before), 1),
        **_question_figures("before", before),
        **_question_figures("after", [*before, *new]),
    }


def _question_figures(when: str, questions: Sequence[str]) -> Mapping[str, float]:
    words = [normalise(question).split() for question in questions]
    return {
        f"question_words.{when}": sum(map(len, words)) / max(len(words), 1),
        f"question_vocabulary.{when}": len({word for row in words for word in row}),
    }
