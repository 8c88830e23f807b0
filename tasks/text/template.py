"""Template text: what many documents share says nothing about two rows being related."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tasks.text.config import SimilarityConfig
from tasks.text.hash_rows import HashRows
from tasks.text.remembered import keep_arrays, names_of_pairs, recall_arrays
from tasks.text.shingles import EMPTY, Hashes, among, text_hash, union


def template_hashes(
    kind: str, features: HashRows, documents: Sequence[str], config: SimilarityConfig
) -> Hashes:
    """Return the hashes that occur in so many documents that they are template text.

    Args:
        kind: Names what the features are, for what is remembered of them.
        features: Hashes of each row, each once.
        documents: Document of each row.
        config: How many documents make a template.
    """
    if not documents:
        return EMPTY
    numbers: dict[str, int] = {}
    codes = np.array([numbers.setdefault(name, len(numbers)) for name in documents], np.int64)
    least = max(config.template_documents, math.ceil(config.template_share * len(numbers)))
    named = np.array([text_hash(name) for name in numbers], np.uint64)
    names = names_of_pairs(features.names, named[codes])
    often = _held_by(_possible(kind, features, names, least), features, codes, least)
    keep_arrays(f"template {kind}", names=names, often=often, least=np.array(least))
    return often


def _possible(kind: str, features: HashRows, names: Hashes, least: int) -> Hashes:
    """Return what may be template text: what was when it was last counted, and what is new since.

    A hash that too few documents held then is held by enough now only if a new row holds it.
    """
    last = recall_arrays(f"template {kind}")
    if not last or last["least"] > least:
        return _at_least(features.hashes, least)
    new = ~among(names, union([last["names"]]))
    return union([last["often"], features.take(np.flatnonzero(new)).hashes])


def _at_least(hashes: Hashes, least: int) -> Hashes:
    """Return the values that occur so often, whosever they are."""
    values, counts = np.unique(hashes, return_counts=True)
    return np.asarray(values[counts >= least], np.uint64)


def _held_by(
    possible: Hashes, features: HashRows, documents: NDArray[np.int64], least: int
) -> Hashes:
    """Return which of these values rows of so many documents hold, sorted."""
    places = np.flatnonzero(among(features.hashes, possible))
    hashes = features.hashes[places]
    owners = documents[features.rows_of(places)]
    order = np.lexsort((owners, hashes))
    hashes, owners = hashes[order], owners[order]
    first = np.ones(hashes.size, bool)  # of its document: a hash counts once a document
    first[1:] = (hashes[1:] != hashes[:-1]) | (owners[1:] != owners[:-1])
    return _at_least(hashes[first], least)


class Templates:
    """The template text of a table, counted once for each kind of features.

    What other rows have of it is left out of theirs too, and a table is not counted again.
    """

    def __init__(self) -> None:
        self._found: dict[str, Hashes] = {}

    def left_out(
        self,
        kind: str,
        features: HashRows,
        documents: Sequence[str],
        config: SimilarityConfig,
    ) -> HashRows:
        """Return features without template text.

        Args:
            kind: Names the kind. The first rows of a kind are those that are counted.
            features: Hashes of each row.
            documents: Document of each row.
            config: How many documents make a template.
        """
        if kind not in self._found:
            self._found[kind] = template_hashes(kind, features, documents, config)
        return without(features, self._found[kind])

    def size(self, kind: str) -> int:
        """How many hashes of a kind are template text."""
        return int(self._found[kind].size)


def without(features: HashRows, ignored: Hashes) -> HashRows:
    """Return the features of each row that are not among the ignored ones."""
    return features.where(~among(features.hashes, ignored)) if ignored.size else features
