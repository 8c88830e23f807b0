"""What a row states, whatever the wording: its subject words, and the values they come with.

Two rows state the same fact when the numbers and negations of their answers agree and their
subject words largely do. Order, sentences and function words play no part, so that a reworded
row is found when nothing tells where it comes from; and rows that differ in a value alone ("12
hinges", "16 hinges") are never called the same. Words that many documents share are no
subject words: in any language with spaces that removes the function words too.
"""

import re
import unicodedata

import numpy as np

from tasks.text.config import SimilarityConfig
from tasks.text.facts import values
from tasks.text.hash_rows import HashRows
from tasks.text.remembered import features
from tasks.text.rows import RowTexts
from tasks.text.shingles import Hashes, distinct, text_hash
from tasks.text.template import Templates
from tasks.text.words import AUXILIARIES, CLAUSE_WORDS, DETERMINERS, PREPOSITIONS, PRONOUNS

_WORD = re.compile(r"[^\W_]{2,}")
_FUNCTION = PRONOUNS | DETERMINERS | PREPOSITIONS | CLAUSE_WORDS | AUXILIARIES
_FUNCTION |= frozenset({"and", "or", "not", "be", "been", "do", "does", "did", "if", "yes"})

# However large the corpus, a word of more documents than this says little, and comparing by it
# costs the square of their number.
_MOST_DOCUMENTS = 1_000


def fact_features(
    rows: RowTexts, config: SimilarityConfig, templates: Templates | None = None
) -> HashRows:
    """Return the subject words of each row, each hashed with the values of the row's answer.

    Args:
        rows: The rows.
        config: How many subject words a row needs, and from what share of documents on a word
            is none.
        templates: The words of many documents, where they were counted over other rows.

    Returns:
        A set for each row; empty for rows of too few subject words ("Is it so?" "Yes").
    """
    words = features("subjects", rows.said, lambda text: _hashes(subject_words(text)))
    keys = features("values", rows.answers, _key)
    known, sparser = templates or Templates(), _sparser(config, rows.documents)
    rare = known.left_out("facts", words, rows.documents, sparser)
    enough = rare.only(rare.sizes >= config.fact_least)
    hashes = enough.hashes ^ np.repeat(keys.hashes, enough.sizes)
    return HashRows(hashes, enough.offsets).ordered()


def subject_words(text: str) -> frozenset[str]:
    """Return the words of a text that carry meaning, case-folded, the plural's s cut off."""
    found = _WORD.findall(unicodedata.normalize("NFKC", text).casefold())
    return frozenset(_singular(word) for word in found if word not in _FUNCTION)


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") else word


def _hashes(words: frozenset[str]) -> Hashes:
    return distinct(np.array([text_hash(word) for word in words], np.uint64))


def _key(answer: str) -> Hashes:
    """Return a hash of an answer's numbers and negations: other values, other features."""
    return np.array([text_hash("\n".join(["values", *sorted(values(answer))]))], np.uint64)


def _sparser(config: SimilarityConfig, documents: list[str]) -> SimilarityConfig:
    share = min(config.fact_share, _MOST_DOCUMENTS / max(len(set(documents)), 1))
    return config.model_copy(update={"template_share": share})
