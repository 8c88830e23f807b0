import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tasks.curation.config import CurationConfig
from tasks.curation.planted import measure_detectors, plant, unrelated_rows
from tasks.curation.planters import PLANTERS

ROWS = [
    {
        "example_id": f"r{n}",
        "group_id": f"g{n // 2}",
        "split": "train" if n < 20 else "test",
        "question": f"How big is the ship number {n}?",
        "answer": f"Ship {n} is {n} metres long. It can carry {n * 3} cars, and {n * 7} people.",
    }
    for n in range(30)
]


def test_leaks_are_the_same_for_a_seed_and_others_for_another(table) -> None:
    rows = table(ROWS)
    first, again, other = (plant(rows, range(20, 30), 40, seed) for seed in (1, 1, 2))
    assert first.rows.equals(again.rows)
    assert not first.rows.equals(other.rows)


@given(count=st.integers(1, 60))
def test_kinds_are_planted_in_equal_numbers_each_from_its_own_source(table, count: int) -> None:
    plants = plant(table(ROWS), range(20, 30), count, 1)
    counts = [plants.kinds.count(kind) for kind in PLANTERS]
    assert sum(counts) == plants.rows.num_rows == plants.sources.size == count
    assert max(counts) - min(counts) <= 1
    for kind in set(plants.kinds):
        own = [s for s, k in zip(plants.sources, plants.kinds, strict=True) if k == kind]
        assert len(set(own)) == len(own)
        assert set(own) <= set(range(20, 30))


def test_a_leak_without_parentage_shows_nothing_of_where_it_comes_from(table) -> None:
    plants = plant(table(ROWS), range(20, 30), 45, 1)
    for row, source, kind in zip(
        plants.rows.to_pylist(), plants.sources, plants.kinds, strict=True
    ):
        assert (row["parent_id"] == f"r{source}") == (kind == "paraphrase")
        assert (row["document_id"] == f"doc-r{source}") == (kind == "other_question")
        said = (row["question"], row["answer"])
        assert (said == (ROWS[source]["question"], ROWS[source]["answer"])) == (kind == "verbatim")


def test_unrelated_rows_are_of_different_groups(table) -> None:
    rows = table(ROWS)
    groups = np.array(rows.column("group_id").to_pylist())
    ours, theirs = unrelated_rows(rows, np.arange(20), 8, 1)
    assert ours.size == 8
    assert theirs.size == 10
    assert not set(groups[ours]) & set(groups[theirs])


def test_a_single_group_has_no_unrelated_rows(table) -> None:
    rows = table([row | {"group_id": "one"} for row in ROWS])
    accuracy = measure_detectors(rows, np.arange(20), np.arange(20, 30), CurationConfig(planted=9))
    assert accuracy is not None
    assert accuracy.unrelated == 0
    assert {item.false_alarms for item in accuracy.detectors} == {None}


def test_false_alarms_are_counted(table) -> None:
    """Rows called unrelated that say the same: every one of them is an alarm."""
    same = [row | {"question": "Who feeds the ship's cat at noon?"} for row in ROWS]
    accuracy = measure_detectors(
        table(same), np.arange(4), np.arange(20, 30), CurationConfig(planted=9)
    )
    assert accuracy is not None
    alarms = {item.detector: item.false_alarms for item in accuracy.detectors}
    assert alarms["near_duplicate"] == 1
    assert alarms["exact"] == 0
    assert alarms["any"] == 1
