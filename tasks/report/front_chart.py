"""The drawing of a front: learning against forgetting, and where a run of the pipeline lies."""

from dataclasses import dataclass

from data_contracts.front import Front, FrontPoint
from data_contracts.results import Comparison, Interval
from tasks.report.charts import Axis, Tick, change_axis
from tasks.report.formats import number, signed


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
    own: bool  # of the run whose report this is


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


def front_chart(front: Front, own: FrontPoint | None = None) -> FrontChart | None:
    """Return the chart of a front, or None if no point was measured.

    Args:
        front: The points.
        own: One to mark: a point of the front, or another one beside them.
    """
    points = front.measured
    if not points:
        return None
    if own is not None and own.number not in [point.number for point in points]:
        points = [*points, own]
    across = change_axis(p.forgetting for p in points if p.forgetting)
    upwards = change_axis(p.learning for p in points if p.learning)
    crosses = [_cross(p, front, own, across, upwards) for p in points]
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


def own_point(front: Front, comparison: Comparison, model: str) -> FrontPoint | None:
    """Return where a run's model lies: as the front's own point, or as the run measured it.

    Args:
        front: Of the same rows and base.
        comparison: What the run found out.
        model: Fingerprint of its model.

    Returns:
        The point; None where validation answers or general text have no interval.
    """
    for point in front.measured:
        if point.model == model:
            return point
    learning = comparison.find("validation", "cross_entropy")
    forgetting = comparison.find("general_text", "cross_entropy")
    if learning is None or forgetting is None:
        return None
    fell = learning.delta
    return FrontPoint(
        number=1 + max(point.number for point in front.points),
        name="this run",
        values={},
        learning=Interval(estimate=-fell.estimate, low=-fell.high, high=-fell.low),
        forgetting=forgetting.delta,
        model=model,
    )


def told(interval: Interval | None) -> str:
    """Return an interval in words, with the sign of each of its figures.

    A line may end before the brackets, not within them.
    """
    if interval is None:
        return "–"
    low, high = signed(interval.low, 3), signed(interval.high, 3)
    return f"{signed(interval.estimate, 3)} [{low},\u00a0{high}]"


def _cross(
    point: FrontPoint, front: Front, own: FrontPoint | None, across: Axis, upwards: Axis
) -> Cross:
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
        own=own is not None and point.number == own.number,
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
