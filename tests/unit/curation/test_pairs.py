from itertools import combinations
from random import Random

import numpy as np
import pytest
from datasketch import MinHash, MinHashLSH

from tasks.curation.pairs import similar_pairs
from tasks.curation.sharing import contained_pairs, jaccard_pairs
from tasks.text.hash_rows import HashRows
from tasks.text.shingles import EMPTY, jaccard
from tasks.text.signatures import RECALL, bands


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
    found = {
        (p.left, p.right): p.similarity
        for p in similar_pairs(HashRows.of(rows), threshold, 128, seed=1)
    }
    assert len(truth) > 10
    assert found.keys() <= truth.keys(), "a pair below the threshold was returned"
    assert len(found) >= RECALL * len(truth)
    assert found == pytest.approx({pair: truth[pair] for pair in found})


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.8])
@pytest.mark.parametrize("seed", range(3))
def test_exact_pairs_miss_none(threshold: float, seed: int) -> None:
    rows = [*overlapping_sets(seed), EMPTY, EMPTY]
    truth = [
        [i, j] for i, j in combinations(range(60), 2) if jaccard(rows[i], rows[j]) >= threshold
    ]
    assert truth
    assert sorted(jaccard_pairs(HashRows.of(rows), threshold).tolist()) == truth


def test_empty_sets_are_like_nothing() -> None:
    assert similar_pairs(HashRows.of([EMPTY, EMPTY]), 0.5, 128, seed=1) == []
    assert jaccard_pairs(HashRows.of([EMPTY, EMPTY]), 0.5).size == 0


def pairs_of_datasketch(rows: list[np.ndarray], threshold: float) -> set[tuple[int, int]]:
    lsh = MinHashLSH(num_perm=64, params=bands(threshold, 64))
    found = set()
    for right, row in enumerate(rows):
        sketch = MinHash(64, seed=5, hashfunc=int, scheme="affine32")
        if row.size:
            sketch.update_batch((row >> np.uint64(32)).tolist())
            found |= {(left, right) for left in lsh.query(sketch)}
            lsh.insert(right, sketch)
    return {pair for pair in found if jaccard(*(rows[i] for i in pair)) >= threshold}


@pytest.mark.parametrize("threshold", [0.3, 0.55, 0.8, 0.95])
@pytest.mark.parametrize("seed", range(4))
def test_pairs_are_those_of_datasketch(threshold: float, seed: int) -> None:
    rows = overlapping_sets(seed)
    rows = [*rows, EMPTY, rows[0], EMPTY, rows[0]]
    found = {(p.left, p.right) for p in similar_pairs(HashRows.of(rows), threshold, 64, seed=5)}
    assert found == pairs_of_datasketch(rows, threshold)
    assert {(0, 61), (0, 63), (61, 63)} <= found


@pytest.mark.parametrize("threshold", [0.3, 0.7, 1.0])
@pytest.mark.parametrize("seed", range(3))
def test_what_holds_a_share_of_a_row_is_found_and_nothing_else(threshold: float, seed: int) -> None:
    within = overlapping_sets(seed)
    own = [*(row[::2] for row in within[:30]), *([EMPTY] * 28), within[1][::2], within[0]]
    truth = [
        [i, j]
        for i, row in enumerate(own)
        for j, other in enumerate(within)
        if row.size and np.intersect1d(row, other).size >= threshold * row.size
    ]
    assert len(truth) > 30
    assert (
        sorted(contained_pairs(HashRows.of(own), HashRows.of(within), threshold).tolist()) == truth
    )
