from itertools import combinations
from random import Random

import numpy as np
import pytest

from tasks.curation.pairs import RECALL, bands, similar_pairs
from tasks.text.shingles import EMPTY, jaccard


def overlapping_sets(seed: int) -> list[np.ndarray]:
    """Make sets of 60 hashes in which many pairs lie around any similarity."""
    random = Random(seed)
    base = [random.getrandbits(64) for _ in range(60)]
    rows = []
    for _ in range(60):
        kept = random.sample(base, random.choice((30, 40, 50, 55, 58)))
        rows.append(kept + [random.getrandbits(64) for _ in range(60 - len(kept))])
    return [np.unique(np.array(row, np.uint64)) for row in rows]


@pytest.mark.parametrize("threshold", [0.5, 0.8])
def test_pairs_are_those_of_brute_force(threshold: float) -> None:
    rows = overlapping_sets(seed=3)
    truth = {
        (i, j): jaccard(rows[i], rows[j])
        for i, j in combinations(range(len(rows)), 2)
        if jaccard(rows[i], rows[j]) >= threshold
    }
    found = {(p.left, p.right): p.similarity for p in similar_pairs(rows, threshold, 128, seed=1)}
    assert len(truth) > 10
    assert found.keys() <= truth.keys(), "a pair below the threshold was returned"
    assert len(found) >= RECALL * len(truth)
    assert found == pytest.approx({pair: truth[pair] for pair in found})


def test_empty_sets_are_like_nothing() -> None:
    assert similar_pairs([EMPTY, EMPTY], 0.5, 128, seed=1) == []


@pytest.mark.parametrize("threshold", [0.3, 0.55, 0.8, 0.95, 1.0])
@pytest.mark.parametrize("num_perm", [64, 128, 256])
def test_bands_fit_the_permutations_and_keep_their_recall(threshold: float, num_perm: int) -> None:
    count, rows = bands(threshold, num_perm)
    assert count * rows <= num_perm
    assert 1 - (1 - threshold**rows) ** count >= RECALL
