"""How much of a text stands word by word in the training text."""

from collections.abc import Iterable, Sequence

from tasks.evaluation.metrics import answer_tokens

# No word holds it, so that no run of words reaches from one text into the next.
_BORDER = "\n"


class TrainingText:
    """All training answers, to be searched for runs of words.

    Args:
        texts: The texts; case, punctuation and articles do not count.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        lines = dict.fromkeys(" ".join(answer_tokens(text)) for text in texts)
        self._joined = _BORDER.join(f" {line} " for line in lines)

    def holds(self, words: Sequence[str]) -> bool:
        """Say whether the words stand in one text, next to each other and in this order."""
        return f" {' '.join(words)} " in self._joined

    def longest_run(self, text: str) -> int:
        """Return how many words of the longest part of `text` stand in one training text.

        It is the longest common substring, counted in words.
        """
        words = answer_tokens(text)
        longest, start = 0, 0
        for end in range(1, len(words) + 1):
            # A run that ends here begins no earlier than the one that ended a word before.
            while start < end and not self.holds(words[start:end]):
                start += 1
            longest = max(longest, end - start)
        return longest

    def copied_ngrams(self, text: str, size: int) -> float:
        """Return the share of the n-grams of `text` that stand in training text.

        A text shorter than one n-gram counts as one.
        """
        words = answer_tokens(text)
        if not words:
            return 0.0
        starts = range(max(1, len(words) - size + 1))
        return sum(self.holds(words[at : at + size]) for at in starts) / len(starts)
