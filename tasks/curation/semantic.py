"""Rows that say the same in other words: near in meaning, and agreed in what they state.

Cosine alone tells nothing: paraphrases lie at 0.5 to 0.8 and so do different questions on one
subject. So two rows are taken for the same only if, beside the cosine, the numbers and
negations of both are equal, every name of one occurs in the other, and their answers share
half of their words.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from tasks.curation.pairs import Pair
from tasks.text.fact_words import subject_words
from tasks.text.facts import facts, values, words

# Rows compared at once, on either side: the products of a block are 16 MB.
BLOCK = 2_048

# Share of their words that two answers must have in common, counted over both.
_SAME_ANSWER = 0.5


def semantic_pairs(
    texts: Sequence[str], answers: Sequence[str], vectors: NDArray[np.float32], threshold: float
) -> list[Pair]:
    """Return all pairs of rows that mean the same, left < right, with their cosine.

    Args:
        texts: Question and answer of each row.
        answers: Answer of each row.
        vectors: Unit vector of each text.
        threshold: Least cosine similarity.
    """
    return [
        pair
        for pair in cosine_pairs(vectors, threshold)
        if agree(texts[pair.left], texts[pair.right])
        and same_answer(answers[pair.left], answers[pair.right])
    ]


def cosine_pairs(vectors: NDArray[np.float32], threshold: float) -> Iterator[Pair]:
    """Yield all pairs of unit vectors at that cosine similarity, in blocks of bounded memory."""
    for left in range(0, len(vectors), BLOCK):
        for right in range(left, len(vectors), BLOCK):
            cosine = vectors[left : left + BLOCK] @ vectors[right : right + BLOCK].T
            for row, column in np.argwhere(cosine >= threshold).tolist():
                if left + row < right + column:
                    yield Pair(left + row, right + column, float(cosine[row, column]))


def agree(left: str, right: str) -> bool:
    """Return whether two texts hold the same numbers and negations, and each other's names."""
    if values(left) != values(right):
        return False
    return facts(left) <= words(right) and facts(right) <= words(left)


def same_answer(left: str, right: str) -> bool:
    """Return whether two answers share half of the words that carry meaning."""
    ours, theirs = subject_words(left), subject_words(right)
    if not ours or not theirs:
        return words(left) == words(right)
    return len(ours & theirs) >= _SAME_ANSWER * len(ours | theirs)
