"""The ways in which the text of one row can give another row away."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.text.config import SimilarityConfig
from tasks.text.normalise import normalise
from tasks.text.overlap import Closest, closest_by_count, closest_by_jaccard
from tasks.text.rows import (
    ngram_features,
    passages,
    question_features,
    questions_and_answers,
    shingle_features,
    strings,
    value_features,
)
from tasks.text.shingles import Hashes
from tasks.text.template import template_hashes, without

Compare = Callable[[Sequence[Hashes], Sequence[Hashes]], Closest]
Positions = NDArray[np.int64]


@dataclass(frozen=True)
class Detector:
    """One way in which a row can give another away.

    Attributes:
        name: Name in the certificate.
        features: Set of hashes of each row; an empty one is like nothing.
        compare: Measures two sets and finds the closest rows.
        threshold: From this measure on, two rows are too close.
        texts: What a person is shown of each row.
    """

    name: str
    features: list[Hashes]
    compare: Compare
    threshold: float
    texts: list[str]

    def closest(self, rows: Positions, others: Positions) -> Closest:
        """Find for each of `rows` its closest row among `others`; the index is into `others`."""
        return self.compare([self.features[i] for i in rows], [self.features[i] for i in others])


def text_detectors(examples: pa.Table, config: SimilarityConfig) -> list[Detector]:
    """Return the detectors that compare what the rows of a table say.

    Template text is counted over the whole table, as curation does.
    """
    texts, contexts = questions_and_answers(examples), passages(examples)
    asked, ngrams = question_features(examples), ngram_features(examples, config)
    documents = strings(examples, "document_id")
    exact = value_features(normalise(text) for text in texts)
    own_questions = without(asked, template_hashes(asked, documents, config))
    own_ngrams = without(ngrams, template_hashes(ngrams, documents, config))
    near, passage = shingle_features(texts, config), shingle_features(contexts, config)
    ngram = f"ngram_{config.ngram_length}"
    return [
        Detector("exact", exact, closest_by_count, 1, texts),
        Detector("same_question", own_questions, closest_by_count, 1, texts),
        Detector("near_duplicate", near, closest_by_jaccard, config.near_threshold, texts),
        Detector(ngram, own_ngrams, closest_by_count, 1, texts),
        Detector("passage", passage, closest_by_jaccard, config.passage_threshold, contexts),
    ]
