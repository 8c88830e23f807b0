import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from data_contracts.results import Delta, Interval
from tasks.promotion.many_comparisons import ONE_SIDED, holm, loss_p_value

P_VALUES = st.dictionaries(st.text(max_size=3), st.floats(0, 1), min_size=1, max_size=12)


def test_holm_against_figures_worked_out_by_hand() -> None:
    found = holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005})
    assert found == pytest.approx({"d": 0.02, "a": 0.03, "c": 0.06, "b": 0.06})


@given(P_VALUES)
def test_holm_corrects_at_least_as_much_as_benjamini_and_hochberg(
    p_values: dict[str, float],
) -> None:
    corrected = holm(p_values)
    names = list(p_values)
    fewer = false_discovery_control([p_values[name] for name in names])
    for name, lower in zip(names, fewer, strict=True):
        assert corrected[name] >= lower - 1e-12
        assert p_values[name] <= corrected[name] <= min(1, len(names) * p_values[name]) + 1e-12


@given(P_VALUES, st.data(), st.floats(0, 1))
def test_a_smaller_p_value_never_raises_another_above_the_level(
    p_values: dict[str, float], data: st.DataObject, share: float
) -> None:
    name = data.draw(st.sampled_from(sorted(p_values)))
    smaller = holm(p_values | {name: p_values[name] * share})
    for other, corrected in holm(p_values).items():
        assert smaller[other] <= corrected + 1e-12


def test_false_alarms_over_twenty_skills_stay_below_the_level() -> None:
    rng = np.random.default_rng(0)
    alarms = 0
    for _ in range(2_000):
        corrected = holm({str(number): p for number, p in enumerate(rng.random(20))})
        alarms += min(corrected.values()) < ONE_SIDED
    assert alarms / 2_000 == pytest.approx(ONE_SIDED, abs=0.01)


@given(st.floats(-1, 1), st.floats(0.001, 1), st.integers(2, 200), st.floats(0, 0.5))
def test_the_p_value_agrees_with_the_interval(
    estimate: float, half: float, clusters: int, margin: float
) -> None:
    found = Delta(
        set="general_skill", name="x", measure="accuracy", better="higher", rows=clusters,
        clusters=clusters, base=0.5, tuned=0.5,
        delta=Interval(estimate=estimate, low=estimate - half, high=estimate + half),
    )  # fmt: skip
    p_value = loss_p_value(found, margin)
    if abs(estimate + half + margin) > 1e-6:
        assert (p_value < ONE_SIDED) == (estimate + half < -margin)
