"""The pages of the front and of continual use."""

import re

import pytest

from data_contracts.dataset import DatasetRef
from data_contracts.front import ContinualArm, ContinualResult, FrontPoint
from data_contracts.results import BaseModelRef, Interval
from tasks.continual.transfer import transfer_figures
from tasks.front.choose import front_of
from tasks.promotion.config import GateConfig
from tasks.report.formats import MINUS
from tasks.report.front import continual_html, front_html
from tasks.report.front_chart import front_chart, own_point
from tasks.report.render import render_report
from tasks.report.task import keep_front, latest_front
from tasks.tracking import start_pipeline_run
from tests.unit.report.sample import realistic


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
    assert "+0.400 [+0.390,\u00a0+0.410]" in page
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
        lost=[Interval(estimate=1.0, low=0.625, high=1.375)],
        text_lost=Interval(estimate=0.25, low=0.125, high=0.375),
        beside_first=[],
        text_beside_first=None,
        models=["a", "b"],
        seconds=[1.0, 2.0],
    )
    beside = [Interval(estimate=-0.5, low=-0.875, high=-0.125), None]
    kept = arm.model_copy(
        update={"name": "replay", "beside_first": beside, "text_beside_first": arm.text_lost}
    )
    alone = ContinualResult(sets=["A", "B"], rows=[7, 9], arms=[arm])
    page = continual_html(alone, "t")
    for figure in ("4.000", "3.250", "+0.250", "9 rows", "[+0.625,", "[+0.125,"):
        assert figure in page
    assert "less that of" not in page
    both = continual_html(alone.model_copy(update={"arms": [arm, kept]}), "t")
    assert "less that of “plain”" in both and "+0.875" not in both
    assert f"{MINUS}0.875" in both
    assert page.count("+1.000") >= 2  # forgetting of A, after B and at the end
    assert pytest.approx(-1.0) == arm.transfer.backward


def shown(content) -> str:
    return render_report(content).split('<section id="front"')[1].split("</section>")[0]


def test_a_runs_report_shows_the_front_with_the_runs_own_point_beside_it():
    front, run = front_of(POINTS, GateConfig()), realistic()
    own = own_point(front, run.comparison, run.tuned_fingerprint)
    learned = run.comparison.find("validation", "cross_entropy").delta
    assert own.number == 3
    assert own.learning.estimate == -learned.estimate
    assert (own.learning.low, own.learning.high) == (-learned.high, -learned.low)
    (cross,) = [cross for cross in front_chart(front, own).crosses if cross.own]
    assert 0 <= cross.x_low <= cross.x <= cross.x_high <= 100
    html = render_report(run.model_copy(update={"front": front}))
    places = [html.index(f'<section id="{name}"') for name in ("summary", "front", "comparison")]
    assert places == sorted(places)
    section = shown(run.model_copy(update={"front": front}))
    assert section.count("<circle") == 3
    assert section.count(">this run</text>") == 1
    assert "trained in none of these ways" in section
    assert "&lt;b&gt;memory ran out" in section and "<b>memory" not in section


def test_a_run_whose_model_is_a_point_of_the_front_is_marked_there():
    run = realistic()
    points = [POINTS[0], POINTS[1].model_copy(update={"model": run.tuned_fingerprint}), FAILED]
    section = shown(run.model_copy(update={"front": front_of(points, GateConfig())}))
    assert section.count("<circle") == 2
    assert section.count(">this run</text>") == 1
    assert "model is point 1" in section


@pytest.mark.parametrize("points", [None, [FAILED]])
def test_without_a_front_the_report_has_no_such_section(points):
    front = points and front_of(points, GateConfig())
    html = render_report(realistic().model_copy(update={"front": front}))
    assert 'id="front"' not in html and 'href="#front"' not in html


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_run_finds_the_newest_front_of_its_rows_and_base_and_no_other(tmp_path):
    def context():
        return start_pipeline_run(tmp_path, f"sqlite:///{tmp_path}/mlflow.db", "t", "run", {})

    def rows(content):
        return DatasetRef(
            stage="augmentation", fingerprint="f", folder=".", content_sha256=content, rows=1
        )

    base, other = (BaseModelRef(name=n, folder=tmp_path, fingerprint=n) for n in ("b", "o"))
    old, new = (front_of(points, GateConfig()) for points in (POINTS[:1], POINTS))
    for front in (old, new):
        keep_front(front, rows("mine"), base, context())
    run = context()
    assert latest_front(rows("mine"), base, run) == new
    assert latest_front(rows("others"), base, run) is None
    assert latest_front(rows("mine"), other, run) is None
