"""What is alike is that of a fresh comparison; what the last run compared is not compared again."""

from random import Random

import numpy as np
import pytest

from tasks.text import alike
from tasks.text.alike import earlier_alike
from tasks.text.remembered import remembering
from tasks.text.shingles import EMPTY, jaccard

THRESHOLD = 0.6


def drawn(random):
    if random.random() < 0.1:
        return EMPTY
    return np.array(sorted(random.sample(range(9), random.randrange(3, 8))), np.uint64)


def brute_force(sets):
    return [
        [o for o in range(at) if row.size and jaccard(row, sets[o]) >= THRESHOLD]
        for at, row in enumerate(sets)
    ]


@pytest.mark.parametrize("seed", range(4))
def test_after_edits_it_is_that_of_a_fresh_comparison(tmp_path, seed) -> None:
    random = Random(seed)
    sets = [drawn(random) for _ in range(60)]
    for _ in range(6):
        with remembering(tmp_path):
            assert earlier_alike(sets, THRESHOLD, "rows") == brute_force(sets)
        sets[random.randrange(60)] = drawn(random)
        sets.insert(random.randrange(60), drawn(random))
        del sets[random.randrange(60)]
        random.shuffle(sets)


def test_only_new_sets_are_compared(tmp_path, monkeypatch) -> None:
    random, asked = Random(1), []
    compared = alike._compared
    monkeypatch.setattr(
        alike, "_compared", lambda *given: asked.append(given[1]) or compared(*given)
    )
    sets = [drawn(random) for _ in range(30)]
    for rows in (sets, [*sets[:20], np.arange(90, 99, dtype=np.uint64), *sets[20:]]):
        with remembering(tmp_path):
            earlier_alike(rows, THRESHOLD, "rows")
    assert len(asked[0]) > 20
    assert len(asked[1]) == 1


def test_another_threshold_is_another_comparison(tmp_path) -> None:
    sets = [np.arange(n, dtype=np.uint64) for n in (10, 8, 5)]
    with remembering(tmp_path):
        assert earlier_alike(sets, 0.7, "rows") == [[], [0], []]
        assert earlier_alike(sets, 0.5, "rows") == [[], [0], [0, 1]]


def test_nothing_new_and_nothing_at_all(tmp_path) -> None:
    sets = [np.arange(n, dtype=np.uint64) for n in (10, 8)]
    for rows, wanted in ((sets, [[], [0]]), (sets, [[], [0]]), ([EMPTY], [[]]), ([], [])):
        with remembering(tmp_path):
            assert earlier_alike(rows, 0.7, "rows") == wanted
