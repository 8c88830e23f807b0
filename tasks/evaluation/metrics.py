"""Exact match and token F1 of a generated answer against its reference.

After SQuAD (Rajpurkar et al. 2016, section 6.1): case, punctuation and English articles do
not count. Extended to any script: Unicode case folding and punctuation, and, where a
script writes no spaces, each character is a token (as MLQA, Lewis et al. 2020, does).
"""

import re
import unicodedata
from collections import Counter

_ARTICLES = frozenset({"a", "an", "the"})

# Han, Hiragana, Katakana, Thai, Lao, Khmer, Burmese.
_UNSPACED = re.compile(
    "([\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002ebef"
    "\u3040-\u30ff\u0e00-\u0eff\u1780-\u17ff\u1000-\u109f])"
)


def answer_tokens(text: str) -> list[str]:
    """Return the words that count when answers are compared."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    spaced = "".join(
        " " if unicodedata.category(character)[0] in "PSC" else character for character in folded
    )
    words = _UNSPACED.sub(r" \1 ", spaced).split()
    return [word for word in words if word not in _ARTICLES] or words


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
