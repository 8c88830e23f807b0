"""Tables of changes: base against tuned, with intervals."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from data_contracts.results import Delta, Interval
from tasks.report import charts, formats
from tasks.report.charts import Axis


@dataclass(frozen=True)
class ChangeRow:
    """One line of a table of changes."""

    name: str
    measure: str
    rows: int | None
    clusters: int | None
    base: float
    tuned: float
    interval: Interval
    tone: charts.Tone
    whisker: charts.Whisker | None


@dataclass(frozen=True)
class ChangeTable:
    """Changes that share a unit, and so an axis."""

    caption: str
    better: str
    axis: Axis
    rows: list[ChangeRow]


def change_table(
    caption: str, deltas: Sequence[Delta], name: Callable[[Delta], str]
) -> Iterable[ChangeTable]:
    """Yield a table of the deltas, or nothing if there are none."""
    if not deltas:
        return
    scale = 100.0 if formats.is_share(deltas[0].measure) else 1.0
    axis = charts.change_axis((d.delta for d in deltas), scale)
    rows = [
        ChangeRow(
            name=name(d),
            measure=d.measure,
            rows=d.rows,
            clusters=d.clusters,
            base=d.base,
            tuned=d.tuned,
            interval=d.delta,
            tone=charts.delta_tone(d),
            whisker=charts.whisker(d.delta, axis, scale),
        )
        for d in deltas
    ]
    directions = {d.better for d in deltas}
    yield ChangeTable(caption, directions.pop() if len(directions) == 1 else "", axis, rows)


def delta_name(delta: Delta) -> str:
    """Return what a reader calls the delta's part of its set."""
    return "All together" if delta.name == "all" else formats.plain_name(delta.name)
