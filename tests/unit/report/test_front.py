"""The pages of the front and of continual use."""

import re

import pytest

from data_contracts.front import ContinualArm, ContinualResult, FrontPoint
from data_contracts.results import Interval
from tasks.continual.transfer import transfer_figures
from tasks.front.choose import front_of
from tasks.promotion.config import GateConfig
from tasks.report.front import continual_html, front_chart, front_html


def point(number: int, learning: float, forgetting: float) -> FrontPoint:
    learned, forgotten = (
        Interval(estimate=value, low=value - 0.01, high=value + 0.01)
        for value in (learning, forgetting)
    )
    name = f"<i>way {number}"
    return FrontPoint(
        number=number, name=name, values={}, learning=learned, forgetting=forgotten, seconds=61
    )


FAILED = FrontPoint(number=2, name="way 2", values={}, reason="<b>memory ran out")
POINTS = [point(0, 0.1, 0.0), point(1, 0.4, 0.2), FAILED]


def test_better_is_up_and_left_and_each_cross_holds_its_dot():
    chart = front_chart(front_of(POINTS, GateConfig()))
    careful, bold = chart.crosses
    assert bold.y < careful.y and bold.x > careful.x  # y grows downwards
    for cross in chart.crosses:
        assert cross.x_low < cross.x < cross.x_high
        assert cross.y_high < cross.y < cross.y_low
    assert (careful.chosen, bold.chosen) == (True, False)
    assert chart.line == f"{careful.x},{careful.y} {bold.x},{bold.y}"
    assert chart.no_forgetting == careful.x


def test_the_page_shows_every_point_escaped_and_loads_nothing():
    page = front_html(front_of(POINTS, GateConfig()), "<script>title")
    assert "<i>" not in page and "<b>memory" not in page and "<script" not in page
    assert page.count("<circle") == 2
    assert "&lt;b&gt;memory ran out" in page
    assert "+0.400 [+0.390, +0.410]" in page
    assert not re.search(r'(src|href)="http', page)


def test_a_front_without_figures_has_a_page_all_the_same():
    front = front_of([FAILED], GateConfig())
    assert front_chart(front) is None
    assert "No point is recommended" in front_html(front, "t")


def test_the_matrix_of_a_sequence_is_shown_step_by_step():
    losses = [[4.0, 4.0], [1.0, 3.0], [2.0, 1.5]]
    arm = ContinualArm(
        name="plain",
        losses=losses,
        text=[3.0, 3.1, 3.25],
        transfer=transfer_figures(losses),
        models=["a", "b"],
        seconds=[1.0, 2.0],
    )
    page = continual_html(ContinualResult(sets=["A", "B"], rows=[7, 9], arms=[arm]), "t")
    for figure in ("4.000", "3.250", "+0.250", "9 rows"):
        assert figure in page
    assert page.count("+1.000") >= 2  # forgetting of A, after B and at the end
    assert pytest.approx(-1.0) == arm.transfer.backward
