"""Groups of related rows: what must not be torn apart by the split.

Rows are nodes; every sign of kinship is a link; a group is a connected component. Linked
are rows of the same document (and so of overlapping chunks and overlapping evidence, which
lie within a document), also where one only shows a passage of it or rests on it, of the same
chunk, parent and child, made from the same sentences, with the same question, with near-identical
question and answer, with near-identical passages, with a run of words or of characters in common,
where one lies within what the other says, and where both state the same fact in other words.
Questions, runs and words that many documents share are template text and link nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from data_contracts.base import digest
from tasks.curation.config import CurationConfig
from tasks.curation.pairs import similar_pairs
from tasks.curation.sharing import contained_pairs, jaccard_pairs
from tasks.text.copied import containment_features, substring_features
from tasks.text.fact_words import fact_features
from tasks.text.hash_rows import HashRows
from tasks.text.rows import (
    RowTexts,
    family_features,
    ngram_features,
    normal_features,
    origin_features,
    shingle_features,
)
from tasks.text.shingles import among, repeated, text_hash
from tasks.text.template import template_hashes, without

Links = NDArray[np.int64]  # shape (n, 2): positions of two rows that belong together

# The hash of a text of which nothing is left once it is normalised.
_NOTHING = text_hash("")
_NONE = np.array([_NOTHING], np.uint64)


@dataclass(frozen=True)
class Grouping:
    """Groups of the rows.

    Attributes:
        group_ids: One for each row.
        links: How many links each sign of kinship gave between rows of different documents.
        ignored_template_ngrams: Runs of words that were not counted.
    """

    group_ids: list[str]
    links: dict[str, int]
    ignored_template_ngrams: int


def group_rows(examples: pa.Table, config: CurationConfig) -> Grouping:
    """Return the group of each row.

    A group is named after its smallest document_id, its anchor: the name does not change
    while the anchor stays in the group.
    """
    rules = config.similarity
    rows = RowTexts(examples)
    documents, ngrams = rows.documents, ngram_features(rows, rules)
    template = template_hashes("ngrams", ngrams, documents, rules)
    links = {
        "document": link_equal(origin_features(examples, "document_id")),
        "chunk": link_equal(origin_features(examples, "chunk_id")),
        "parent": link_equal(family_features(examples)),
        "question": _same_question(rows, config),
        "near_duplicate": _near(rows.said, rules.near_threshold, config, "near_duplicate"),
        "passage": _near(rows.passages, rules.passage_threshold, config, "passage"),
        "ngram": link_equal(without(ngrams, template)),
        "containment": contained_pairs(
            *containment_features(rows, rules), rules.containment_threshold
        ),
        "substring": link_equal(substring_features(rows, rules)),
        "fact": jaccard_pairs(fact_features(rows, rules), rules.fact_threshold),
    }
    components = _components(np.concatenate(list(links.values())), len(documents))
    across = _across(links, documents)
    return Grouping(_names(components, documents), across, template.size)


def link_equal(features: HashRows) -> Links:
    """Link every row to the first row with which it shares a hash."""
    # most are one row's only, and link nothing
    places = np.flatnonzero(among(features.hashes, repeated(features.hashes)))
    owners = features.rows_of(places)
    hashes = features.hashes[places]
    _, first, inverse = np.unique(hashes, return_index=True, return_inverse=True)
    return np.stack([owners[first[inverse]], owners], axis=1)


def _same_question(rows: RowTexts, config: CurationConfig) -> Links:
    asked = normal_features(rows.questions)
    template = template_hashes("questions", asked, rows.documents, config.similarity)
    return link_equal(without(asked, template))


def _near(texts: Sequence[str], threshold: float, config: CurationConfig, use: str) -> Links:
    """Link rows of similar texts; an empty text is like nothing. Each text is compared once."""
    normal = normal_features(texts)
    codes: list[int] = normal.hashes.tolist()
    first = {code: i for i, code in reversed(list(enumerate(codes))) if code != _NOTHING}
    distinct = sorted(first.values())
    features = shingle_features([texts[i] for i in distinct], config.similarity)
    pairs = similar_pairs(features, threshold, config.num_perm, config.seed, use)
    near = [(distinct[pair.left], distinct[pair.right]) for pair in pairs]
    return np.concatenate(
        [link_equal(without(normal, _NONE)), np.array(near, np.int64).reshape(-1, 2)]
    )


def _components(links: Links, rows: int) -> NDArray[np.int32]:
    """Return the number of the connected component of each row."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ones = np.ones(len(links), np.int8)
    graph = coo_array((ones, (links[:, 0], links[:, 1])), shape=(rows, rows))
    return np.asarray(connected_components(graph, directed=False)[1], np.int32)


def _names(components: NDArray[np.int32], documents: Sequence[str]) -> list[str]:
    anchors: dict[int, str] = {}
    for component, document in zip(components.tolist(), documents, strict=True):
        anchors[component] = min(anchors.get(component, document), document)
    names = {component: f"grp-{digest(name, length=12)}" for component, name in anchors.items()}
    return [names[component] for component in components.tolist()]


def _across(links: Mapping[str, Links], documents: Sequence[str]) -> dict[str, int]:
    """Return how many links of each kind are between rows of different documents."""
    numbers: dict[str, int] = {}
    codes = np.array([numbers.setdefault(name, len(numbers)) for name in documents], np.int64)
    return {
        name: int(np.count_nonzero(codes[found[:, 0]] != codes[found[:, 1]]))
        for name, found in links.items()
    }
