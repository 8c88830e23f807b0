import math
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from data_contracts.results import Interval, TrainingPoint
from tasks.report.charts import (
    MAX_POINTS,
    change_axis,
    interval_tone,
    loss_chart,
    nice_ticks,
    thin,
    whisker,
)

reasonable = st.floats(-1e6, 1e6)


def interval(low: float, estimate: float, high: float) -> Interval:
    return Interval(estimate=estimate, low=low, high=high)


def point(step: int, train: float | None = None, validation: float | None = None) -> TrainingPoint:
    return TrainingPoint(step=step, epoch=step / 10, train_loss=train, validation_loss=validation)


@given(low=reasonable, span=st.floats(1e-4, 1e6))
def test_ticks_lie_within_the_range_at_equal_distances(low: float, span: float) -> None:
    high = low + span
    assume(high - low > 1e-9 * max(abs(low), abs(high)) + 1e-5)
    ticks = nice_ticks(low, high)
    assert 1 <= len(ticks) <= 12
    step = ticks[1] - ticks[0] if len(ticks) > 1 else span
    assert all(low - 1e-6 * step <= t <= high + 1e-6 * step for t in ticks)
    assert all(math.isclose(b - a, step, rel_tol=1e-3) for a, b in pairwise(ticks))


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0, 1, 0.2), (0, 98, 20), (-6.4, 4.2, 2), (0.0, 0.03, 0.01), (3.0, 240.0, 50)],
)
def test_ticks_are_round(low: float, high: float, expected: float) -> None:
    ticks = nice_ticks(low, high)
    assert ticks[1] - ticks[0] == pytest.approx(expected)


@given(st.lists(st.tuples(reasonable, reasonable, reasonable), min_size=1, max_size=8))
def test_change_axis_holds_zero_and_every_whisker(triples: list[tuple[float, ...]]) -> None:
    intervals = [interval(*sorted(t)) for t in triples]
    axis = change_axis(intervals)
    assert 0 <= axis.place(0) <= 100
    for one in intervals:
        drawn = whisker(one, axis)
        assert drawn is not None
        assert 0 <= drawn.low <= drawn.dot <= drawn.high <= 100


def test_whisker_of_a_figure_that_is_not_finite_is_not_drawn() -> None:
    broken = interval(math.nan, 0.0, 1.0)
    axis = change_axis([broken, interval(-1, 0, 1)])
    assert math.isfinite(axis.low)
    assert whisker(broken, axis) is None


@pytest.mark.parametrize(
    ("low", "high", "better", "tone"),
    [
        (-2, -1, "lower", "better"),
        (-2, -1, "higher", "worse"),
        (1, 2, "lower", "worse"),
        (1, 2, "higher", "better"),
        (-1, 1, "lower", "unclear"),
        (0, 1, "higher", "unclear"),
        (math.nan, math.nan, "lower", "unclear"),
    ],
)
def test_tone_follows_the_interval(low: float, high: float, better: str, tone: str) -> None:
    assert interval_tone(interval(low, (low + high) / 2, high), better) == tone


def test_loss_chart_places_points_and_best_step() -> None:
    chart = loss_chart([point(0, 4.0, 4.0), point(50, 2.0), point(100, 1.0, 2.0)], best_step=100)
    assert chart is not None
    assert chart.best == 100
    xs, ys = zip(*(map(float, p.split(",")) for p in chart.train.split()), strict=True)
    assert xs == (0, 50, 100)
    assert list(ys) == sorted(ys)  # y grows downwards: a falling loss goes down
    assert len(chart.dots) == 2
    assert "Training loss from 4.000 to 1.000; Validation loss from 4.000 to 2.000" in chart.label


def test_loss_chart_leaves_out_what_is_not_finite() -> None:
    chart = loss_chart([point(1, 2.0), point(2, math.nan), point(3, math.inf), point(4, 1.0)], 4)
    assert chart is not None
    assert len(chart.train.split()) == 2
    assert loss_chart([point(1, math.nan)], 1) is None
    assert loss_chart([], 0) is None


@given(st.integers(0, 3000))
def test_thinning_keeps_the_last_point_and_the_limit(count: int) -> None:
    points = [point(step, 1.0) for step in range(count)]
    kept = thin(points)
    assert len(kept) <= MAX_POINTS
    assert kept[-1:] == points[-1:]
    assert count > MAX_POINTS or kept == points
