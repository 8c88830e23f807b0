"""Template text: what many documents share says nothing about two rows being related."""

import math
from collections.abc import Sequence

import numpy as np

from tasks.text.config import SimilarityConfig
from tasks.text.shingles import EMPTY, Hashes, among, distinct


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
    numbers: dict[str, int] = {}
    codes = [numbers.setdefault(name, len(numbers)) for name in documents]
    least = max(config.template_documents, math.ceil(config.template_share * len(numbers)))
    hashes = np.concatenate(features)
    owners = np.repeat(codes, [row.size for row in features])
    often = among(hashes, _at_least(hashes, least))  # few, and only these are ordered by document
    hashes, owners = hashes[often], owners[often]
    order = np.lexsort((owners, hashes))
    hashes, owners = hashes[order], owners[order]
    first = np.ones(hashes.size, bool)  # of its document: a hash counts once a document
    first[1:] = (hashes[1:] != hashes[:-1]) | (owners[1:] != owners[:-1])
    values, counts = np.unique(hashes[first], return_counts=True)
    return np.asarray(values[counts >= least], np.uint64)


def _at_least(hashes: Hashes, least: int) -> Hashes:
    """Return the values that occur so often, whosever they are."""
    values, counts = np.unique(hashes, return_counts=True)
    return np.asarray(np.sort(values[counts >= least]), np.uint64)


class Templates:
    """The template text of a table, counted once for each kind of features.

    What other rows have of it is left out of theirs too, and a table is not counted again.
    """

    def __init__(self) -> None:
        self._found: dict[str, Hashes] = {}

    def left_out(
        self,
        kind: str,
        features: Sequence[Hashes],
        documents: Sequence[str],
        config: SimilarityConfig,
    ) -> list[Hashes]:
        """Return features without template text.

        Args:
            kind: Names the kind. The first rows of a kind are those that are counted.
            features: Hashes of each row.
            documents: Document of each row.
            config: How many documents make a template.
        """
        if kind not in self._found:
            self._found[kind] = template_hashes(features, documents, config)
        return without(features, self._found[kind])

    def size(self, kind: str) -> int:
        """How many hashes of a kind are template text."""
        return int(self._found[kind].size)


def without(features: Sequence[Hashes], ignored: Hashes) -> list[Hashes]:
    """Return the features of each row that are not among the ignored ones."""
    if not ignored.size or not features:
        return list(features)
    left_out = among(np.concatenate(features), ignored)
    ends = np.cumsum([row.size for row in features])
    found = list(features)
    for row in distinct(np.searchsorted(ends, np.flatnonzero(left_out), side="right")).tolist():
        found[row] = features[row][~left_out[ends[row] - features[row].size : ends[row]]]
    return found
