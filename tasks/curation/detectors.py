"""All detectors of the audit: where rows come from, and what they say."""

import pyarrow as pa

from tasks.text.config import SimilarityConfig
from tasks.text.detectors import Detector, text_detectors
from tasks.text.overlap import closest_by_count
from tasks.text.rows import (
    family_features,
    ngram_features,
    origin_features,
    questions_and_answers,
    strings,
    value_features,
)
from tasks.text.template import template_hashes

# Detectors of where rows come from; those of what rows say are the others.
ORIGINS = ("same_group", "same_document", "same_chunk", "same_parent")


def build_detectors(
    examples: pa.Table, config: SimilarityConfig, counted: int | None = None
) -> list[Detector]:
    """Return all detectors over the rows of a table.

    Args:
        examples: The rows.
        config: Thresholds.
        counted: Count template text over so many first rows only.
    """
    texts = questions_and_answers(examples)
    origins = {
        "same_group": value_features(examples.column("group_id").to_pylist()),
        "same_document": origin_features(examples, "document_id"),
        "same_chunk": origin_features(examples, "chunk_id"),
        "same_parent": family_features(examples),
    }
    by_origin = [
        Detector(name, features, closest_by_count, 1, texts) for name, features in origins.items()
    ]
    return [*by_origin, *text_detectors(examples, config, counted)]


def count_template_ngrams(examples: pa.Table, config: SimilarityConfig) -> int:
    """Return how many runs of words are template text and therefore not counted."""
    documents = strings(examples, "document_id")
    return template_hashes(ngram_features(examples, config), documents, config).size
