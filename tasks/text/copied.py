"""What is copied from one row into another, template text left out."""

from collections.abc import Sequence

import pyarrow as pa

from tasks.text.config import SimilarityConfig
from tasks.text.rows import (
    questions_and_answers,
    strings,
    whole_texts,
    window_features,
    word_features,
)
from tasks.text.shingles import EMPTY, Hashes
from tasks.text.template import template_hashes, without


def containment_features(
    examples: pa.Table, config: SimilarityConfig, counted: int | None = None
) -> tuple[list[Hashes], list[Hashes]]:
    """Return what of each row to look for in others, and what each row holds.

    Looked for are the runs of words of question and answer; a row with too few of them is
    looked for nowhere. Searched is all that a row says, its passage included.

    Args:
        examples: The rows.
        config: Length and least number of runs.
        counted: Count template text over so many first rows only.
    """
    texts = questions_and_answers(examples)
    own = _own(examples, word_features(texts, config.containment_ngram), config, counted)
    enough = [row if row.size >= config.containment_least else EMPTY for row in own]
    return enough, word_features(whole_texts(examples), config.containment_ngram)


def substring_features(
    examples: pa.Table, config: SimilarityConfig, counted: int | None = None
) -> list[Hashes]:
    """Return the runs of characters of each row's question and answer."""
    texts = questions_and_answers(examples)
    windows = window_features(texts, config.substring_characters)
    return _own(examples, windows, config, counted)


def _own(
    examples: pa.Table, features: Sequence[Hashes], config: SimilarityConfig, counted: int | None
) -> list[Hashes]:
    documents = strings(examples, "document_id")[:counted]
    return without(features, template_hashes(features[:counted], documents, config))
