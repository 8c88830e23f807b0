from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.text import overlap
from tasks.text.hash_rows import HashRows
from tasks.text.overlap import (
    closest_by_containment,
    closest_by_cosine,
    closest_by_count,
    closest_by_jaccard,
    closest_by_run,
    closest_contained,
)

SETS = st.lists(st.sets(st.integers(0, 12)), max_size=8)


def arrays(sets: list[set[int]]) -> HashRows:
    return HashRows.of(np.array(sorted(one), np.uint64) for one in sets)


@pytest.fixture(autouse=True, scope="module")
def small_blocks() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(overlap, "BLOCK", 2)  # so that several blocks occur, on both sides
        patch.setattr(overlap, "OTHERS", 3)
        yield


@given(SETS, SETS)
def test_closest_is_what_comparing_every_pair_finds(
    left: list[set[int]], right: list[set[int]]
) -> None:
    counts = closest_by_count(arrays(left), arrays(right))
    shares = closest_by_jaccard(arrays(left), arrays(right))
    for i, ours in enumerate(left):
        shared = [len(ours & theirs) for theirs in right]
        jaccards = [len(ours & t) / len(ours | t) if ours | t else 0.0 for t in right]
        assert counts.value[i] == max(shared, default=0)
        assert shares.value[i] == pytest.approx(max(jaccards, default=0))
        if right:
            assert counts.index[i] == shared.index(max(shared)), "the first of equals"
            assert jaccards[shares.index[i]] == pytest.approx(shares.value[i])


@given(SETS, SETS)
def test_containment_is_the_share_of_one_set_within_the_other(
    left: list[set[int]], right: list[set[int]]
) -> None:
    inside = closest_by_containment(arrays(left), arrays(right))
    holding = closest_contained(arrays(left), arrays(right))
    for row, value, held in zip(left, inside.value, holding.value, strict=True):
        assert value == max((len(row & o) / len(row) for o in right if row), default=0)
        assert held == max((len(row & o) / len(o) for o in right if o), default=0)


def test_a_run_is_measured_in_characters() -> None:
    found = closest_by_run(arrays([{1, 2, 3}, {7}]), arrays([{3}, {2, 3, 4}]), length=80)
    assert found.value.tolist() == [81, 0]
    assert found.index[0] == 1


def test_cosine_finds_the_nearest_vector_whatever_the_block() -> None:
    random = np.random.default_rng(1)
    left, right = (random.normal(size=(n, 4)).astype(np.float32) for n in (7, 5))
    found = closest_by_cosine(list(left), list(right))
    every = left @ right.T
    assert np.allclose(found.value, np.maximum(every.max(axis=1), 0))
    assert found.index.tolist() == every.argmax(axis=1).tolist()
    assert closest_by_cosine(list(left), []).value.tolist() == [0] * 7
