"""The ways in which the text of one row can give another row away."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import cast

import numpy as np
from numpy.typing import NDArray

from tasks.text.config import SimilarityConfig
from tasks.text.copied import containment_features, substring_features
from tasks.text.fact_words import fact_features
from tasks.text.hash_rows import HashRows, Names
from tasks.text.overlap import (
    Closest,
    closest_by_containment,
    closest_by_cosine,
    closest_by_count,
    closest_by_jaccard,
    closest_by_run,
    closest_contained,
)
from tasks.text.rows import (
    RowTexts,
    ngram_features,
    normal_features,
    shingle_features,
)
from tasks.text.shingles import union
from tasks.text.template import Templates

Features = HashRows | list[NDArray[np.float32]]
Compare = Callable[..., Closest]  # of features of one kind
Positions = NDArray[np.int64]

# How many times more rows the one side has when it is first looked through for what the other has.
_MANY = 64

# The kind under which `Templates` keeps the runs of words.
NGRAMS = "ngrams"


@dataclass(frozen=True)
class Detector:
    """One way in which a row can give another away.

    Attributes:
        name: Name in the certificate.
        features: Set of hashes of each row, or its unit vector; an empty set is like nothing.
        compare: Measures two sets and finds the closest rows.
        threshold: From this measure on, two rows are too close.
        texts: What a person is shown of each row.
        within: Where a row is looked for in another one: what the other one holds.
    """

    name: str
    features: Features
    compare: Compare
    threshold: float
    texts: Sequence[str]
    within: HashRows | None = None

    @property
    def names(self) -> Names:
        """Names of what is looked for of each row, if that is a set: equal sets, equal names."""
        return cast("HashRows", self.features).names

    @property
    def names_within(self) -> Names:
        """Names of that in which it is looked for."""
        return self.names if self.within is None else self.within.names

    @property
    def looked_in(self) -> Features:
        """What is looked for a row in, of each row."""
        return self.features if self.within is None else self.within

    def closest(
        self, rows: Positions, others: Positions, beside: "Detector | None" = None
    ) -> Closest:
        """Find for each of `rows` its closest row among `others`; the index is into `others`.

        Args:
            rows: Positions of the rows.
            others: Positions of the others.
            beside: The same detector over the table of the others, if that is another one.
        """
        theirs = (beside or self).looked_in
        if not isinstance(self.features, HashRows) or not isinstance(theirs, HashRows):
            return self.compare(_at(self.features, rows), _at(theirs, others))
        if others.size > _MANY * rows.size:
            return self.compare(self.features.take(rows), theirs, others)
        if rows.size > _MANY * others.size:
            return _among_few(self.compare, self.features, rows, theirs.take(others))
        return self.compare(self.features.take(rows), theirs.take(others))

    def closest_given_away(self, rows: Positions, others: Positions) -> Closest:
        """Find for each of `rows` which of `others` it gives away most: `closest` turned round."""
        if self.within is None or not isinstance(self.features, HashRows):
            return self.closest(rows, others)
        return closest_contained(self.within.take(rows), self.features.take(others))


def _at(features: Features, places: Positions) -> Features:
    if isinstance(features, HashRows):
        return features.take(places)
    return [features[place] for place in places]


def _among_few(compare: Compare, ours: HashRows, rows: Positions, few: HashRows) -> Closest:
    """Compare with a few rows only those of many that share anything with any of them."""
    many = ours.take(rows)  # held-out rows are few of the table: the others are not looked through
    near = np.flatnonzero(many.sharing(union(few)))
    found = compare(many.take(near), few)
    value, index = np.zeros(rows.size), np.zeros(rows.size, np.int64)
    value[near], index[near] = found.value, found.index
    return Closest(value, index)


def text_detectors(
    rows: RowTexts, config: SimilarityConfig, templates: Templates | None = None
) -> list[Detector]:
    """Return the detectors that compare what the rows of a table say.

    Template text is counted over the whole table, as curation does, unless it was counted over
    other rows before.

    Args:
        rows: The rows.
        config: Thresholds.
        templates: Keeps the template text.
    """
    texts, contexts, counted = rows.said, rows.passages, templates or Templates()

    def own(kind: str, features: HashRows) -> HashRows:
        return counted.left_out(kind, features, rows.documents, config)

    exact = normal_features(texts)
    near, passage = shingle_features(texts, config), shingle_features(contexts, config)
    ngram, ngrams = f"ngram_{config.ngram_length}", own(NGRAMS, ngram_features(rows, config))
    asked = own("questions", normal_features(rows.questions))
    stated = fact_features(rows, config, counted)
    return [
        Detector("exact", exact, closest_by_count, 1, texts),
        Detector("same_question", asked, closest_by_count, 1, texts),
        Detector("near_duplicate", near, closest_by_jaccard, config.near_threshold, texts),
        Detector(ngram, ngrams, closest_by_count, 1, texts),
        Detector("passage", passage, closest_by_jaccard, config.passage_threshold, contexts),
        _containment(rows, config, counted),
        _substring(rows, config, counted),
        Detector("same_fact", stated, closest_by_jaccard, config.fact_threshold, texts),
        *_embedding(texts, config),
    ]


def _containment(rows: RowTexts, config: SimilarityConfig, counted: Templates) -> Detector:
    """Find rows whose question and answer lie within what another row says."""
    own, within = containment_features(rows, config, counted)
    threshold = config.containment_threshold
    return Detector("containment", own, closest_by_containment, threshold, rows.said, within)


def _substring(rows: RowTexts, config: SimilarityConfig, counted: Templates) -> Detector:
    """Find rows that share a long run of characters, wherever it stands."""
    length = config.substring_characters
    windows = substring_features(rows, config, counted)
    compare = partial(closest_by_run, length=length)
    return Detector("substring", windows, compare, length, rows.said)


def _embedding(texts: Sequence[str], config: SimilarityConfig) -> list[Detector]:
    """Find rows that mean nearly the same, where a threshold is configured."""
    if config.embedding_threshold is None:
        return []
    from tasks.modeling.encoder import encode

    vectors = list(encode(texts))
    threshold = config.embedding_threshold
    return [Detector("embedding", vectors, closest_by_cosine, threshold, texts)]
