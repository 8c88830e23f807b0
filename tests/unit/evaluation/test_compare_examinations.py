from typing import Any

import pyarrow as pa
import pytest

from data_contracts.results import Comparison, Delta, Interval
from data_contracts.schemas import MEASUREMENT
from tasks.evaluation.compare_examinations import compare_examinations
from tasks.evaluation.config import EvaluationConfig
from tasks.promotion.config import GateConfig
from tasks.promotion.model_legs import retention_skills

CONFIG = EvaluationConfig(bootstrap_resamples=300)


def measured(set_: str, name: str, measure: str, values: list[float]) -> list[dict[str, Any]]:
    return [
        {
            "set": set_, "name": name, "row_id": f"{name}{n}", "cluster": f"c{n // 2}",
            "measure": measure, "better": "lower" if measure == "answered" else "higher",
            "value": value,
        }
        for n, value in enumerate(values)
    ]  # fmt: skip


def paired(set_: str, measure: str, **arms: list[float]) -> list[dict[str, Any]]:
    """Return measurements of the same rows in several arms."""
    rows = [row for name, values in arms.items() for row in measured(set_, name, measure, values)]
    return [row | {"row_id": row["row_id"].removeprefix(row["name"])} for row in rows]


def table(rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=MEASUREMENT)


def test_each_arm_has_its_difference_with_rows_and_clusters() -> None:
    base = measured("invention", "unanswerable", "answered", [1, 1, 1, 1, 0, 1])
    tuned = measured("invention", "unanswerable", "answered", [0, 0, 0, 0, 0, 1])
    (delta,) = compare_examinations(table(base), table(tuned), CONFIG)
    assert (delta.set, delta.name, delta.measure) == ("invention", "unanswerable", "answered")
    assert (delta.rows, delta.clusters, delta.better) == (6, 3, "lower")
    assert (delta.base, delta.tuned) == (pytest.approx(5 / 6), pytest.approx(1 / 6))
    assert delta.delta.estimate == pytest.approx(-4 / 6)


def test_the_tuned_model_alone_stands_against_the_base_with_retrieval() -> None:
    base = paired("retrieval", "right", alone=[0, 0, 0, 0], with_retrieval=[1, 1, 1, 0])
    tuned = paired("retrieval", "right", alone=[1, 0, 0, 0], with_retrieval=[1, 1, 1, 1])
    found = {d.name: d for d in compare_examinations(table(base), table(tuned), CONFIG)}
    assert set(found) == {"alone", "with_retrieval", "tuned_alone_against_base_with_retrieval"}
    crossed = found["tuned_alone_against_base_with_retrieval"]
    assert (crossed.base, crossed.tuned) == (0.75, 0.25)
    assert crossed.delta.estimate == pytest.approx(-0.5)


def test_skills_are_taken_together_and_arms_are_not() -> None:
    skills = [
        *measured("instructions", "lists", "accuracy", [1, 0, 1, 0]),
        *measured("instructions", "length", "accuracy", [1, 1, 1, 1]),
        *measured("few_shot", "0 examples", "right", [0, 0, 0, 0]),
        *measured("few_shot", "1 example", "right", [1, 1, 1, 1]),
    ]
    found = compare_examinations(table(skills), table(skills), CONFIG)
    names = {(d.set, d.name) for d in found}
    assert names == {
        ("instructions", "all"), ("instructions", "lists"), ("instructions", "length"),
        ("few_shot", "0 examples"), ("few_shot", "1 example"),
    }  # fmt: skip
    assert all(d.change == "none" for d in found)


def test_calibration_gives_its_error_and_no_mean_confidence() -> None:
    def of(confidence: float) -> pa.Table:
        rows = measured("calibration", "answers", "confidence", [confidence] * 4)
        return table([*rows, *measured("calibration", "answers", "right", [1, 0, 1, 0])])

    found = {d.measure: d for d in compare_examinations(of(0.5), of(0.9), CONFIG)}
    assert set(found) == {"calibration_error", "right"}
    error = found["calibration_error"]
    assert (error.base, error.tuned) == (pytest.approx(0), pytest.approx(0.4))


def test_one_cluster_says_nothing_and_nothing_gives_nothing() -> None:
    rows = measured("refusal", "should_refuse", "accuracy", [1, 0])
    assert compare_examinations(table(rows), table(rows), CONFIG) == []
    assert compare_examinations(table([]), table([]), CONFIG) == []


def test_a_lost_skill_of_an_examination_fails_the_gate() -> None:
    def skills(refused: float) -> pa.Table:
        return table(
            [
                *measured("refusal", "should_refuse", "accuracy", [refused] * 40),
                *measured("refusal", "should_answer", "accuracy", [1.0] * 40),
                *measured("few_shot", "0 examples", "right", [refused] * 40),  # no skill
            ]
        )

    nothing = Interval(estimate=0.0, low=-0.001, high=0.001)
    general = Delta(
        set="general_skill", name="all", measure="accuracy", better="higher", rows=400,
        clusters=400, base=0.7, tuned=0.7, delta=nothing,
    )  # fmt: skip
    one = general.model_copy(update={"name": "science"})
    for refused, outcome in ((1.0, "PASS"), (0.0, "FAIL")):
        deltas = compare_examinations(skills(1.0), skills(refused), CONFIG)
        found = Comparison(deltas=[general, one, *deltas], gaps=[], improved=[], worsened=[])
        leg = retention_skills(found, GateConfig())
        assert leg.outcome == outcome
    assert leg.reason.endswith("of 3 skills looked at (Holm's correction): should_refuse.")
