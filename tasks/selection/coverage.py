"""The rows that stand for all others: weighted facility location, chosen greedily.

The value of a set of rows is the sum, over all rows, of the similarity to the nearest row
in the set. It is monotone and submodular, so greedy choice reaches at least 1 - 1/e of the
best value (Nemhauser, Wolsey and Fisher 1978), and the lazy form of it (Minoux 1978) needs
few evaluations. The libraries for this are not kept up: apricot's last release is of 2021.
"""

import heapq
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.modeling.encoder import Vectors

# Rows whose similarities to all others are held at a time: 512 x 20,000 x 4 bytes is 40 MB.
_BLOCK = 512


@dataclass(frozen=True)
class Choice:
    """Rows in the order in which they were chosen.

    Attributes:
        order: Positions of the rows, best first.
        coverage: After each choice, the mean similarity of all rows to their nearest chosen row.
        nearest: For every row, the position of the nearest chosen row.
        similarity: For every row, the similarity to it, 0 to 1.
    """

    order: list[int]
    coverage: list[float]
    nearest: NDArray[np.int64]
    similarity: NDArray[np.float32]


def choose(vectors: Vectors, quality: NDArray[np.float64], size: int) -> Choice:
    """Choose rows that are good and cover the others.

    The gain of a row is what it adds to the coverage, times its quality.

    Args:
        vectors: Unit vectors, one a row.
        quality: Of each row, 0 to 1.
        size: How many rows to choose.
    """
    rows = len(vectors)
    covered = np.zeros(rows, np.float32)
    nearest = np.zeros(rows, np.int64)
    heap = [(-gain * quality[row], row) for row, gain in enumerate(_first_gains(vectors))]
    heapq.heapify(heap)
    order: list[int] = []
    coverage: list[float] = []
    while heap and len(order) < size:
        _, row = heapq.heappop(heap)
        similarity = _similarity(vectors, row)
        gain = float(np.maximum(similarity - covered, 0).sum(dtype=np.float64)) * quality[row]
        if heap and gain < -heap[0][0]:  # another row may add more by now
            heapq.heappush(heap, (-gain, row))
            continue
        nearest[similarity > covered] = row
        covered = np.maximum(covered, similarity)
        order.append(row)
        coverage.append(float(covered.mean(dtype=np.float64)))
    return Choice(order, coverage, nearest, covered)


def _similarity(vectors: Vectors, row: int) -> Vectors:
    similarity: Vectors = np.clip(vectors @ vectors[row], 0, 1)
    similarity[row] = 1
    return similarity


def _first_gains(vectors: Vectors) -> list[float]:
    """Return what each row would cover by itself."""
    gains: list[float] = []
    for start in range(0, len(vectors), _BLOCK):
        block = np.clip(vectors[start : start + _BLOCK] @ vectors.T, 0, 1)
        gains += block.sum(axis=1, dtype=np.float64).tolist()
    return gains


def curve(coverage: list[float], rows: int) -> list[tuple[int, float]]:
    """Return (size, coverage) at twenty sizes, for a plot."""
    sizes = sorted({max(1, round(rows * step / 20)) for step in range(1, 21)})
    return [(size, round(coverage[size - 1], 4)) for size in sizes if size <= len(coverage)]
