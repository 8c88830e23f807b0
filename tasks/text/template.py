"""Template text: what many documents share says nothing about two rows being related."""

import math
from collections.abc import Sequence

import numpy as np

from tasks.text.config import SimilarityConfig
from tasks.text.shingles import EMPTY, Hashes


def template_hashes(
    features: Sequence[Hashes], documents: Sequence[str], config: SimilarityConfig
) -> Hashes:
    """Return the hashes that occur in so many documents that they are template text.

    Args:
        features: Hashes of each row.
        documents: Document of each row.
        config: How many documents make a template.
    """
    if not documents:
        return EMPTY
    names, codes = np.unique(np.array(documents, dtype=object), return_inverse=True)
    hashes = np.concatenate(features)
    owners = np.repeat(codes, [row.size for row in features])
    order = np.lexsort((owners, hashes))
    hashes, owners = hashes[order], owners[order]
    first = np.ones(hashes.size, bool)  # of its document: a hash counts once a document
    first[1:] = (hashes[1:] != hashes[:-1]) | (owners[1:] != owners[:-1])
    values, counts = np.unique(hashes[first], return_counts=True)
    least = max(config.template_documents, math.ceil(config.template_share * names.size))
    return np.asarray(values[counts >= least], np.uint64)


def without(features: Sequence[Hashes], ignored: Hashes) -> list[Hashes]:
    """Return the features of each row that are not among the ignored ones."""
    if not ignored.size or not features:
        return list(features)
    kept = ~np.isin(np.concatenate(features), ignored)
    ends = np.cumsum([row.size for row in features]).tolist()
    return [
        row if kept[end - row.size : end].all() else row[kept[end - row.size : end]]
        for row, end in zip(features, ends, strict=True)
    ]
