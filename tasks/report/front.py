"""Renders the front, and what became of earlier document sets, each as one HTML page."""

from dataclasses import dataclass

from data_contracts.front import ContinualResult, Front, FrontPoint
from data_contracts.results import Interval
from tasks.report.charts import Axis, Tick, change_axis
from tasks.report.formats import number, signed
from tasks.report.render import environment


@dataclass(frozen=True)
class Cross:
    """A point with both its intervals, in a 100 by 100 box, y downwards."""

    number: int
    name: str
    x: float
    x_low: float
    x_high: float
    y: float
    y_low: float
    y_high: float
    best: bool
    chosen: bool


@dataclass(frozen=True)
class FrontChart:
    """Learning (upwards) against forgetting (to the right)."""

    crosses: list[Cross]
    line: str  # through the points that nothing beats
    forgetting: list[Tick]
    learning: list[Tick]
    no_forgetting: float
    no_learning: float
    label: str


def front_chart(front: Front) -> FrontChart | None:
    """Return the chart of a front, or None if no point was measured."""
    points = front.measured
    if not points:
        return None
    across = change_axis(p.forgetting for p in points if p.forgetting)
    upwards = change_axis(p.learning for p in points if p.learning)
    crosses = [_cross(p, front, across, upwards) for p in points]
    placed = {cross.number: cross for cross in crosses}
    return FrontChart(
        crosses=crosses,
        line=" ".join(f"{placed[n].x},{placed[n].y}" for n in front.pareto),
        forgetting=across.labelled(sign=True),
        learning=[Tick(_down(t.at), t.label) for t in upwards.labelled(sign=True)],
        no_forgetting=across.place(0.0),
        no_learning=_down(upwards.place(0.0)),
        label=_label(front),
    )


def front_html(front: Front, title: str) -> str:
    """Return the front as one HTML document without scripts; all text is escaped."""
    chart = front_chart(front)
    template = environment().get_template("front.html.j2")
    return template.render(f=front, title=title, chart=chart, told=told)


def continual_html(found: ContinualResult, title: str) -> str:
    """Return a sequence of document sets as one HTML document; all text is escaped."""
    return environment().get_template("continual.html.j2").render(c=found, title=title)


def told(interval: Interval | None) -> str:
    """Return an interval in words, with the sign of each of its figures."""
    if interval is None:
        return "–"
    low, high = signed(interval.low, 3), signed(interval.high, 3)
    return f"{signed(interval.estimate, 3)} [{low}, {high}]"


def _cross(point: FrontPoint, front: Front, across: Axis, upwards: Axis) -> Cross:
    x, y = _required(point.forgetting), _required(point.learning)
    return Cross(
        number=point.number,
        name=point.name,
        x=across.place(x.estimate),
        x_low=across.place(x.low),
        x_high=across.place(x.high),
        y=_down(upwards.place(y.estimate)),
        y_low=_down(upwards.place(y.low)),
        y_high=_down(upwards.place(y.high)),
        best=point.number in front.pareto,
        chosen=point.number == front.recommended,
    )


def _required(interval: Interval | None) -> Interval:
    """Return an interval of a measured point, which has both."""
    return interval or Interval(estimate=0.0, low=0.0, high=0.0)


def _down(at: float) -> float:
    return round(100 - at, 2)


def _label(front: Front) -> str:
    """Say in words what the chart shows, for those who cannot see it."""
    names = ", ".join(front.point(n).name for n in front.pareto)
    count = number(len(front.measured))
    return f"Learning against forgetting of {count} points. Beaten by none: {names}."
