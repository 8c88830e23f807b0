"""Recall questions: of every trained fact with enough wordings, one is held out."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.splitting.assignment import text_names
from tasks.splitting.config import SplittingConfig
from tasks.splitting.groups import number
from tasks.text.hash_rows import HashRows
from tasks.text.normalise import normalise
from tasks.text.overlap import BLOCK, incidence
from tasks.text.rows import RowTexts, shingle_features, strings
from tasks.text.shingles import union

# With one wording held out, two are left to learn the fact from.
MIN_WORDINGS = 3


def choose_recall(
    examples: pa.Table, trained: Sequence[int], config: SplittingConfig, previous: frozenset[str]
) -> tuple[list[int], int]:
    """Return the positions of the questions to hold out, and how many facts could have one.

    Held out before stays held out. Of every other fact it is the first wording by hash that
    is not near-identical to any other question on the training side; a fact without such a
    wording has no recall question.

    Args:
        examples: All rows.
        trained: Positions of the rows on the training side.
        config: Salt and similarity.
        previous: Identifiers, and names of texts, of the questions that were held out before.
    """
    identifiers = strings(examples, "example_id")
    texts = text_names(examples) if previous else identifiers
    held = {row for row in trained if {identifiers[row], texts[row]} & previous}
    facts = _facts(examples, trained)
    apart = _apart(examples, trained, config)
    chosen = set(held)
    for rows in facts.values():
        free = [row for row in rows if row in apart]
        if free and not held.intersection(rows):
            chosen.add(min(free, key=lambda row: number(config.salt, identifiers[row])))
    return sorted(chosen), len(facts)


def _facts(examples: pa.Table, trained: Sequence[int]) -> dict[str, list[int]]:
    """Return the rows of every fact that is asked for in enough wordings."""
    names, asked = examples.column("fact_id").to_pylist(), RowTexts(examples).questions
    rows: defaultdict[str, list[int]] = defaultdict(list)
    for row in trained:
        if names[row] is not None:
            rows[str(names[row])].append(row)
    return {
        fact: found
        for fact, found in rows.items()
        if len({normalise(asked[row]) for row in found}) >= MIN_WORDINGS
    }


def _apart(examples: pa.Table, trained: Sequence[int], config: SplittingConfig) -> set[int]:
    """Return the trained rows whose question is near no other question among them."""
    asked = RowTexts(examples).questions
    features = shingle_features([asked[row] for row in trained], config.similarity)
    lonely = ~has_neighbour(features, config.similarity.near_threshold)
    return {row for row, alone in zip(trained, lonely.tolist(), strict=True) if alone}


def has_neighbour(features: HashRows, threshold: float) -> NDArray[np.bool_]:
    """Say of every set of hashes whether another reaches that Jaccard similarity with it."""
    found = np.zeros(len(features), np.bool_)
    held = features.sizes.astype(np.float64)
    matrix = incidence(features, union([features.hashes]))
    columns = matrix.T.tocsr()
    for start in range(0, len(features), BLOCK):
        shared = (matrix[start : start + BLOCK] @ columns).tocoo()
        left, right = shared.row + start, shared.col
        similarity = shared.data / (held[left] + held[right] - shared.data)
        found[left[(similarity >= threshold) & (left != right)]] = True
    return found
