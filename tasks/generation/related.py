"""Pairs of passages from two documents that speak of the same things."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tasks.generation.base import ChunkView

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

# Rows of the similarity matrix that are worked out at a time: 512 x 100,000 floats are 400 MB
# as a dense block of 8 bytes, so sparse blocks of this size stay well below.
_BLOCK = 512


@dataclass(frozen=True)
class Related:
    """Which chunks and documents belong together.

    Attributes:
        partners: The nearest chunk of another document, for each chunk that has one; of the
            two chunks of a pair only the first (by identifier) has the other as its partner.
        documents: The other document, for each document of a pair.
    """

    partners: dict[str, ChunkView]
    documents: dict[str, str]


def find_related(
    chunks: Sequence[ChunkView], min_similarity: float, max_similarity: float
) -> Related:
    """Pair chunks that are each other's nearest in another document.

    A document belongs to one pair at most: the split keeps the rows of a pair together, and
    chains of pairs would join a whole collection into one group.

    Args:
        chunks: All chunks.
        min_similarity: Lowest cosine of their TF-IDF vectors.
        max_similarity: Highest; what is more alike says the same twice.
    """
    nearest = _nearest(chunks, max_similarity)
    mutual = [
        (similarity, i, j)
        for i, (j, similarity) in enumerate(nearest)
        if j > i and nearest[j][0] == i and similarity >= min_similarity
    ]
    documents: dict[str, str] = {}
    partners: dict[str, ChunkView] = {}
    for _, i, j in sorted(mutual, key=lambda pair: (-pair[0], pair[1], pair[2])):
        first, second = sorted((chunks[i], chunks[j]), key=lambda chunk: chunk.chunk_id)
        ours, theirs = first.document_id, second.document_id
        if documents.setdefault(ours, theirs) == theirs:
            if documents.setdefault(theirs, ours) == ours:
                partners[first.chunk_id] = second
            else:
                del documents[ours]
    return Related(partners, documents)


def _nearest(chunks: Sequence[ChunkView], max_similarity: float) -> list[tuple[int, float]]:
    """Return position and similarity of each chunk's nearest in another document."""
    if len({chunk.document_id for chunk in chunks}) < 2:
        return [(-1, 0.0)] * len(chunks)
    vectors = _vectors([f"{chunk.heading}\n{chunk.text}" for chunk in chunks])
    if vectors is None:
        return [(-1, 0.0)] * len(chunks)
    names = {name: n for n, name in enumerate(dict.fromkeys(c.document_id for c in chunks))}
    owners = np.array([names[chunk.document_id] for chunk in chunks])
    found: list[tuple[int, float]] = []
    for start in range(0, len(chunks), _BLOCK):
        block: Any = (vectors[start : start + _BLOCK] @ vectors.T).tocsr()
        for row in range(block.shape[0]):
            begin, end = block.indptr[row], block.indptr[row + 1]
            columns, values = block.indices[begin:end], block.data[begin:end]
            usable = (owners[columns] != owners[start + row]) & (values <= max_similarity)
            found.append(_best(columns[usable], values[usable]))
    return found


def _best(columns: "np.ndarray[Any, Any]", values: "np.ndarray[Any, Any]") -> tuple[int, float]:
    """Return the column of the highest value; the lowest of several."""
    if not values.size:
        return -1, 0.0
    rounded = np.round(values, 9)  # sums of floats in another order differ in the last digits
    best = np.lexsort((columns, -rounded))[0]
    return int(columns[best]), float(rounded[best])


def _vectors(texts: Sequence[str]) -> "csr_matrix | None":
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(sublinear_tf=True, stop_words="english")
    try:
        return vectorizer.fit_transform(texts)
    except ValueError:  # no word is left: scikit-learn says so by raising
        return None
