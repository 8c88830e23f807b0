"""What is copied from one row into another, template text left out."""

import pyarrow as pa

from tasks.text.config import SimilarityConfig
from tasks.text.hash_rows import HashRows
from tasks.text.rows import (
    questions_and_answers,
    strings,
    whole_texts,
    window_features,
    word_features,
)
from tasks.text.template import Templates


def containment_features(
    examples: pa.Table, config: SimilarityConfig, templates: Templates | None = None
) -> tuple[HashRows, HashRows]:
    """Return what of each row to look for in others, and what each row holds.

    Looked for are the runs of words of question and answer; a row with too few of them is
    looked for nowhere. Searched is all that a row says, its passage included.

    Args:
        examples: The rows.
        config: Length and least number of runs.
        templates: The template text, where it was counted over other rows.
    """
    texts = questions_and_answers(examples)
    words = word_features(texts, config.containment_ngram)
    own = _own("containment", examples, words, config, templates)
    enough = own.only(own.sizes >= config.containment_least)
    return enough, word_features(whole_texts(examples), config.containment_ngram)


def substring_features(
    examples: pa.Table, config: SimilarityConfig, templates: Templates | None = None
) -> HashRows:
    """Return the runs of characters of each row's question and answer."""
    texts = questions_and_answers(examples)
    windows = window_features(texts, config.substring_characters)
    return _own("substring", examples, windows, config, templates)


def _own(
    kind: str,
    examples: pa.Table,
    features: HashRows,
    config: SimilarityConfig,
    templates: Templates | None,
) -> HashRows:
    known = templates or Templates()
    return known.left_out(kind, features, strings(examples, "document_id"), config)
