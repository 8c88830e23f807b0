from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest

from data_contracts.errors import DatasetError
from data_contracts.results import Comparison
from data_contracts.schemas import PREDICTION
from tasks.evaluation.compare import compare
from tasks.evaluation.config import EvaluationConfig

CONFIG = EvaluationConfig(bootstrap_resamples=300, shown_examples=3)

Rows = list[dict[str, Any]]


def predictions() -> Rows:
    """Return 24 rows of 8 groups in each split, 10 texts and 20 items of two skills."""
    return [*_answers(), *_general()]


def _answers() -> Iterator[dict[str, Any]]:
    for split in ("test", "validation", "train"):
        for number in range(24):
            yield _row(
                set=split,
                name="list" if number % 2 else "definition",
                row_id=f"{split}{number}",
                cluster=f"{split}-g{number // 3}",
                n_tokens=10 + number,
                cross_entropy=3.0 + number / 10,
                prompt=f"Question {number}?",
                reference=f"Answer {number}.",
            )


def _general() -> Iterator[dict[str, Any]]:
    for number in range(10):
        yield _row(set="general_text", name="prose", row_id=f"t{number}", cluster=f"t{number}")
    for number in range(20):
        skill = "colours" if number % 2 else "capitals"
        row = _row(set="general_skill", name=skill, row_id=f"i{number}", cluster=f"i{number}")
        yield row | {"correct": number < 12}


def _row(**values: Any) -> dict[str, Any]:
    return dict.fromkeys(PREDICTION.names) | {"n_tokens": 20, "cross_entropy": 2.0} | values


def answered(rows: Rows, text: str, f1: float, stopped: bool) -> Rows:
    """Give every second test row a generated answer."""
    extra = {"generated": text, "token_f1": f1, "exact_match": 0.0, "stopped": stopped}
    chosen = {row["row_id"] for row in rows if row["set"] == "test" and row["n_tokens"] % 2}
    return [row | extra if row["row_id"] in chosen else row for row in rows]


def table(rows: Rows) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=PREDICTION)


def shifted(rows: Rows, **changes: float) -> Rows:
    """Add to the cross-entropy of each set that is named."""
    return [
        row | {"cross_entropy": row["cross_entropy"] + changes.get(row["set"], 0.0)} for row in rows
    ]


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    base = answered(predictions(), "base says", 0.2, stopped=False)
    tuned = answered(
        shifted(predictions(), test=-1.0, validation=-1.2, train=-1.5, general_text=0.1),
        "tuned says",
        0.7,
        stopped=True,
    )
    tuned = [row | {"correct": False} if row["row_id"] == "i0" else row for row in tuned]
    return compare(table(base), table(tuned), CONFIG)


def test_every_set_and_measure_has_its_delta(comparison: Comparison) -> None:
    found = {(delta.set, delta.measure) for delta in comparison.deltas if delta.name == "all"}
    assert found == {
        ("test", "cross_entropy"),
        ("test", "token_f1"),
        ("test", "exact_match"),
        ("test", "rouge_l"),
        ("test", "right"),
        ("test", "length_off"),
        ("test", "repeated_runs"),
        ("test", "stop_rate"),
        ("validation", "cross_entropy"),
        ("train", "cross_entropy"),
        ("general_text", "cross_entropy"),
        ("general_skill", "cross_entropy"),
        ("general_skill", "accuracy"),
    }
    for set_, measure, by_name in [
        ("test", "cross_entropy", {"definition", "list"}),
        ("general_skill", "accuracy", {"capitals", "colours"}),
    ]:
        names = {d.name for d in comparison.deltas if (d.set, d.measure) == (set_, measure)}
        assert names == {"all", *by_name}


def test_cross_entropy_is_averaged_over_tokens(comparison: Comparison) -> None:
    delta = comparison.find("test", "cross_entropy")
    assert delta is not None
    tokens = [10 + number for number in range(24)]
    losses = [3.0 + number / 10 for number in range(24)]
    mean = sum(t * x for t, x in zip(tokens, losses, strict=True)) / sum(tokens)
    assert delta.base == pytest.approx(mean)
    assert delta.tuned == pytest.approx(mean - 1.0)
    assert delta.delta.estimate == pytest.approx(-1.0)
    assert (delta.rows, delta.clusters, delta.better) == (24, 8, "lower")


def test_other_measures_are_averaged_over_the_rows_that_have_them(comparison: Comparison) -> None:
    f1 = comparison.find("test", "token_f1")
    assert f1 is not None
    assert (f1.rows, f1.better) == (12, "higher")
    assert (f1.base, f1.tuned) == (pytest.approx(0.2), pytest.approx(0.7))
    stop = comparison.find("test", "stop_rate")
    assert stop is not None
    assert (stop.base, stop.tuned) == (0.0, 1.0)
    accuracy = comparison.find("general_skill", "accuracy")
    assert accuracy is not None
    assert (accuracy.base, accuracy.tuned) == (pytest.approx(0.6), pytest.approx(0.55))
    assert accuracy.delta.low < -0.05 < accuracy.delta.high
    capitals = comparison.find("general_skill", "accuracy", "capitals")
    assert capitals is not None
    assert capitals.delta.estimate == pytest.approx(-0.1)


def test_the_gap_is_what_training_opened(comparison: Comparison) -> None:
    gaps = {gap.set: gap for gap in comparison.gaps}
    assert gaps["test"].base == pytest.approx(0.0)
    assert gaps["test"].tuned == pytest.approx(0.5)
    assert gaps["test"].excess.estimate == pytest.approx(0.5)
    assert gaps["test"].base_interval is not None
    assert gaps["test"].base_interval.estimate == pytest.approx(gaps["test"].base)
    assert gaps["validation"].excess.estimate == pytest.approx(0.3)


def test_examples_are_the_most_improved_and_the_most_worsened() -> None:
    base = answered(predictions(), "base says", 0.2, stopped=False)
    tuned = answered(predictions(), "tuned says", 0.7, stopped=True)
    change = {"test1": -2.0, "test3": -1.0, "test5": 0.5, "test7": 1.5, "test2": -9.0}
    tuned = [
        row | {"cross_entropy": row["cross_entropy"] + change.get(row["row_id"], 0.0)}
        for row in tuned
    ]
    found = compare(table(base), table(tuned), CONFIG)
    assert [example.row_id for example in found.improved] == ["test1", "test3"]
    assert [example.row_id for example in found.worsened] == ["test7", "test5"]
    first = found.improved[0]
    assert (first.kind, first.prompt, first.reference) == ("list", "Question 1?", "Answer 1.")
    assert (first.base_answer, first.tuned_answer) == ("base says", "tuned says")
    assert first.tuned_cross_entropy - first.base_cross_entropy == pytest.approx(-2.0)


def test_equal_models_do_not_differ() -> None:
    rows = table(answered(predictions(), "says", 0.5, stopped=True))
    found = compare(rows, rows, CONFIG)
    assert all(d.delta.estimate == 0 and d.change == "none" for d in found.deltas)
    exact = [d for d in found.deltas if d.measure in ("cross_entropy", "token_f1")]
    assert all(d.delta.low == d.delta.high == 0 for d in exact)
    assert all(gap.excess.low == gap.excess.high == 0 for gap in found.gaps)
    assert found.improved == found.worsened == []


def test_the_order_of_rows_does_not_matter() -> None:
    base, tuned = predictions(), shifted(predictions(), test=-1.0)
    found = compare(table(base), table(tuned), CONFIG)
    assert compare(table(base[::-1]), table(tuned[3:] + tuned[:3]), CONFIG) == found


def test_exchanging_the_models_turns_the_sign() -> None:
    base, tuned = table(predictions()), table(shifted(predictions(), test=-1.0, train=-2.0))
    there = compare(base, tuned, CONFIG).find("test", "cross_entropy")
    back = compare(tuned, base, CONFIG).find("test", "cross_entropy")
    assert there is not None
    assert back is not None
    assert there.delta.low == pytest.approx(-back.delta.high)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"row_id": "other"}, "one of the two only"),
        ({"n_tokens": 99}, "another 'n_tokens'"),
        ({"reference": "changed"}, "another 'reference'"),
        ({"reference": None}, "another 'reference'"),
        ({"cluster": "changed"}, "another 'cluster'"),
        ({"name": "changed"}, "another 'name'"),
    ],
)
def test_other_rows_cannot_be_compared(change: dict[str, Any], what: str) -> None:
    rows = predictions()
    with pytest.raises(DatasetError, match=what) as caught:
        compare(table(rows), table([rows[0] | change, *rows[1:]]), CONFIG)
    assert "Evaluate both again" in str(caught.value)
    assert "other" in str(caught.value) or "test0" in str(caught.value)


def test_a_missing_row_is_noticed() -> None:
    rows = predictions()
    with pytest.raises(DatasetError, match="1 of 102"):
        compare(table(rows), table(rows[1:]), CONFIG)


def test_a_single_group_gets_no_interval() -> None:
    rows = [row | {"cluster": "one"} if row["set"] == "test" else row for row in predictions()]
    found = compare(table(rows), table(rows), CONFIG)
    assert found.find("test", "cross_entropy") is None
    assert [gap.set for gap in found.gaps] == ["validation"]
    assert found.find("validation", "cross_entropy") is not None


def test_a_comparison_survives_json(comparison: Comparison) -> None:
    assert Comparison.model_validate_json(comparison.model_dump_json()) == comparison


def test_a_part_of_the_test_rows_is_a_set_of_its_own() -> None:
    """Its rows are better by 2, all others by nothing; rows of other sets are none of it."""
    ids = frozenset({f"test{number}" for number in range(6)} | {"train1", "elsewhere"})
    tuned = [
        row | {"cross_entropy": row["cross_entropy"] - 2.0} if row["row_id"] in ids else row
        for row in predictions()
    ]
    found = compare(table(predictions()), table(tuned), CONFIG, {"test_apart": ids})
    part, whole = found.find("test_apart", "cross_entropy"), found.find("test", "cross_entropy")
    assert part is not None
    assert whole is not None
    assert (part.rows, part.clusters) == (6, 2)
    assert part.delta.estimate == pytest.approx(-2.0)
    assert -2.0 < whole.delta.estimate < 0
    assert {delta.name for delta in found.deltas if delta.set == "test_apart"} == {"all"}


def test_test_rows_are_broken_down_by_groups_with_clusters_counted() -> None:
    base = answered(predictions(), "Answer 3.", 0.2, stopped=False)
    tuned = answered(shifted(predictions(), test=-1.0), "Answer 5.", 0.2, stopped=True)
    groups = {f"test{n}": "en" if n < 18 else "de" for n in range(23)}  # the last is in neither
    found = compare(table(base), table(tuned), CONFIG, groupings={"language": groups})
    english = found.find("test_by_language", "cross_entropy", "en")
    german = found.find("test_by_language", "cross_entropy", "de")
    assert english and german
    assert (english.rows, english.clusters) == (18, 6)
    assert (german.rows, german.clusters) == (5, 2)
    assert english.delta.estimate == pytest.approx(-1.0)
    right = found.find("test_by_language", "right", "en")
    # of the nine answered rows, one has the base's answer as its reference, and one the tuned's
    assert right and (right.base, right.tuned, right.rows) == (pytest.approx(1 / 9), 1 / 9, 9)
    assert found.find("test_by_language", "cross_entropy") is None


def test_answers_that_could_not_end_in_time_do_not_count_as_unstopped() -> None:
    rows = answered(predictions(), "Answer.", 1.0, True)
    long = [row | {"stopped": False} if row["n_tokens"] > 24 and row["generated"] else row
            for row in rows]  # fmt: skip
    config = CONFIG.model_copy(update={"max_new_tokens": 24})
    found = compare(table(long), table(long), config).find("test", "stop_rate")
    assert found is not None
    assert found.tuned == 1.0
    asked = [row for row in rows if row["generated"] and row["n_tokens"] <= 24]
    assert found.rows == len(asked) < 12
