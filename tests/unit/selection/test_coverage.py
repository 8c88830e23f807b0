"""Facility location: lazy greedy choice equals the plain one, and covers what it should."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.selection.coverage import choose, curve


def unit(rows: int, seed: int, dimensions: int = 6) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(rows, dimensions)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def plain_greedy(vectors: np.ndarray, quality: np.ndarray, size: int) -> list[float]:
    """The gains of choosing the best row each time, every row looked at each time."""
    similarity = np.clip(vectors @ vectors.T, 0, 1)
    np.fill_diagonal(similarity, 1)
    covered, gains, left = np.zeros(len(vectors)), [], set(range(len(vectors)))
    for _ in range(size):
        scores = {
            row: np.maximum(similarity[row] - covered, 0).sum() * quality[row] for row in left
        }
        best = max(scores, key=lambda row: (scores[row], -row))
        gains.append(scores[best])
        left.remove(best)
        covered = np.maximum(covered, similarity[best])
    return gains


@given(st.integers(2, 25), st.integers(0, 1000), st.booleans())
def test_lazy_choice_gains_what_plain_greedy_choice_gains(rows: int, seed: int, flat: bool) -> None:
    vectors = unit(rows, seed)
    quality = np.ones(rows) if flat else np.random.default_rng(seed + 1).uniform(0.2, 1, rows)
    size = max(1, rows // 2)
    choice = choose(vectors, quality, size)
    similarity = np.clip(vectors @ vectors.T, 0, 1)
    np.fill_diagonal(similarity, 1)
    covered, gains = np.zeros(rows), []
    for row in choice.order:
        gains.append(np.maximum(similarity[row] - covered, 0).sum() * quality[row])
        covered = np.maximum(covered, similarity[row])
    assert gains == pytest.approx(plain_greedy(vectors, quality, size), abs=1e-4)
    assert choice.coverage == sorted(choice.coverage)
    assert choice.coverage[-1] == pytest.approx(covered.mean(), abs=1e-5)


def test_one_row_of_each_cluster_is_chosen_first() -> None:
    centres = np.eye(5, dtype=np.float32)
    noise = np.random.default_rng(0).normal(scale=0.02, size=(50, 5)).astype(np.float32)
    vectors = np.repeat(centres, 10, axis=0) + noise
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    choice = choose(vectors, np.ones(50), 5)
    assert sorted(row // 10 for row in choice.order) == [0, 1, 2, 3, 4]
    assert all(nearest // 10 == row // 10 for row, nearest in enumerate(choice.nearest))


def test_of_two_equal_rows_the_better_one_is_chosen() -> None:
    vectors = np.array([[1, 0], [1, 0], [0, 1]], np.float32)
    assert choose(vectors, np.array([0.4, 0.9, 0.8]), 2).order == [1, 2]


def test_the_curve_has_its_last_point_at_the_last_size() -> None:
    points = curve([0.1 * n for n in range(1, 8)], rows=7)
    assert points[-1] == (7, 0.7)
    assert [size for size, _ in points] == sorted({size for size, _ in points})
