"""Exact match, token F1, ROUGE-L, length and repetition of a generated answer.

After SQuAD (Rajpurkar et al. 2016, section 6.1): case, punctuation and English articles do
not count. Extended to any script: Unicode case folding and punctuation, and, where a
script writes no spaces, each character is a token (as MLQA, Lewis et al. 2020, does).
"""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

_ARTICLES = frozenset({"a", "an", "the"})

# Words of which a run is said again.
_RUN = 4

# Han, Hiragana, Katakana, Thai, Lao, Khmer, Burmese.
_UNSPACED = re.compile(
    "([\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002ebef"
    "\u3040-\u30ff\u0e00-\u0eff\u1780-\u17ff\u1000-\u109f])"
)


def answer_tokens(text: str) -> list[str]:
    """Return the words that count when answers are compared."""
    words = all_words(text)
    return [word for word in words if word not in _ARTICLES] or words


def all_words(text: str) -> list[str]:
    """Return the words of a text, folded, articles among them."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    spaced = "".join(
        " " if unicodedata.category(character)[0] in "PSC" else character for character in folded
    )
    return _UNSPACED.sub(r" \1 ", spaced).split()


def exact_match(answer: str, reference: str) -> float:
    """Return 1.0 if both consist of the same words in the same order, else 0.0."""
    return float(answer_tokens(answer) == answer_tokens(reference))


def token_f1(answer: str, reference: str) -> float:
    """Return the harmonic mean of the precision and the recall of the answer's words."""
    got, expected = Counter(answer_tokens(answer)), Counter(answer_tokens(reference))
    common = (got & expected).total()
    if not got or not expected:
        return float(got == expected)
    return 2 * common / (got.total() + expected.total())


def rouge_l(answer: str, reference: str) -> float:
    """Return ROUGE-L: the F1 of the longest common subsequence of words (Lin 2004, section 3.1).

    Order counts, gaps do not. Articles count, words are not stemmed.
    """
    got, expected = all_words(answer), all_words(reference)
    if not got or not expected:
        return float(got == expected)
    return 2 * common_subsequence(got, expected) / (len(got) + len(expected))


def common_subsequence(first: Sequence[str], second: Sequence[str]) -> int:
    """Return how many words the longest common subsequence has."""
    lengths = [0] * (len(second) + 1)
    for word in first:
        before = 0
        for at, other in enumerate(second, start=1):
            above = lengths[at]
            lengths[at] = before + 1 if word == other else max(above, lengths[at - 1])
            before = above
    return lengths[-1]


def doublings_off(answer: str, reference: str) -> float:
    """Return by how many doublings an answer is too long or too short; 0 is as long.

    One word is added to both, so that an empty answer has a length too.
    """
    got, expected = len(all_words(answer)) + 1, len(all_words(reference)) + 1
    return abs(math.log2(got / expected))


def repeated_share(answer: str) -> float:
    """Return the share of an answer's runs of four words that it has said before.

    It is 1 less the share of different ones (seq-rep-4 of Welleck et al. 2020, arXiv 1908.04319,
    on words instead of tokens). An answer of fewer than five words repeats none.
    """
    words = all_words(answer)
    runs = [tuple(words[at : at + _RUN]) for at in range(len(words) - _RUN + 1)]
    return 1 - len(set(runs)) / len(runs) if runs else 0.0
