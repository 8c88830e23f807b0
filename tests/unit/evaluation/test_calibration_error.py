import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.evaluation.calibration_error import calibration_delta, calibration_error
from tasks.evaluation.config import EvaluationConfig

CONFIG = EvaluationConfig(bootstrap_resamples=300)


def test_the_error_is_the_mean_gap_of_the_bins() -> None:
    # two bins of ten: 0.2 sure and 0.4 right; 0.9 sure and 0.5 right
    confidence = [0.2] * 10 + [0.9] * 10
    right = [1] * 4 + [0] * 6 + [1] * 5 + [0] * 5
    assert calibration_error(confidence, right) == pytest.approx((0.2 + 0.4) / 2)


def test_few_answers_are_one_bin() -> None:
    assert calibration_error([1.0, 0.0, 0.5], [0, 1, 1]) == pytest.approx(abs(0.5 - 2 / 3))


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60))
def test_the_error_lies_between_nought_and_the_mean_distance(answers) -> None:
    confidence = [sure for sure, _ in answers]
    right = [float(correct) for _, correct in answers]
    error = calibration_error(confidence, right)
    distance = np.abs(np.subtract(confidence, right)).mean()
    assert -1e-9 <= error <= distance + 1e-9


def wide(base: list[float], tuned: list[float], right: list[int]) -> pd.DataFrame:
    columns = {
        ("value", "confidence"): base,
        ("value", "right"): right,
        ("value_tuned", "confidence"): tuned,
        ("value_tuned", "right"): right,
    }
    return pd.DataFrame(columns)


def test_a_model_that_became_overconfident_is_seen() -> None:
    rng = np.random.default_rng(1)
    sure = rng.uniform(0.1, 0.9, 200)
    right = (rng.uniform(size=200) < sure).astype(int)
    rows = wide(list(sure), [0.99] * 200, list(right))
    (delta,) = calibration_delta(rows, [f"g{n // 2}" for n in range(200)], CONFIG)
    assert (delta.rows, delta.clusters) == (200, 100)
    assert delta.base < 0.15
    assert delta.tuned == pytest.approx(0.99 - right.mean())
    assert delta.delta.estimate == pytest.approx(delta.tuned - delta.base)
    assert delta.change == "worse"


def test_equal_models_differ_by_nothing_and_one_cluster_says_nothing() -> None:
    rows = wide([0.3] * 20, [0.3] * 20, [0, 1] * 10)
    (delta,) = calibration_delta(rows, [f"g{n}" for n in range(20)], CONFIG)
    assert (delta.delta.low, delta.delta.high) == (0, 0)
    assert list(calibration_delta(rows, ["g"] * 20, CONFIG)) == []
