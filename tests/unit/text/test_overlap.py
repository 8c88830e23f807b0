from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.text import overlap
from tasks.text.overlap import closest_by_count, closest_by_jaccard

SETS = st.lists(st.sets(st.integers(0, 12)), max_size=8)


def arrays(sets: list[set[int]]) -> list[np.ndarray]:
    return [np.array(sorted(one), np.uint64) for one in sets]


@pytest.fixture(autouse=True, scope="module")
def small_blocks() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(overlap, "BLOCK", 2)  # so that several blocks occur
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
            assert shared[counts.index[i]] == counts.value[i]
            assert jaccards[shares.index[i]] == pytest.approx(shares.value[i])
