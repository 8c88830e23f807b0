"""Geometry of the report's charts; `charts.html.j2` draws it as inline SVG.

Everything is placed in percent of the drawing, so a chart fills any width while its text
and strokes keep their size, and its colours come from the style sheet, light or dark.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from data_contracts.results import Delta, Interval, TrainingPoint
from tasks.report.formats import number, signed

Tone = Literal["better", "worse", "unclear", "plain"]

# More points than this cannot be told apart on paper; they would only make the file large.
MAX_POINTS = 300
# Share of the span left free at either end of a change axis, so that whiskers do not touch.
_PADDING = 0.06


@dataclass(frozen=True)
class Tick:
    """A labelled place on an axis, in percent."""

    at: float
    label: str


@dataclass(frozen=True)
class Axis:
    """A linear axis from `low` to `high` over 0 to 100 percent."""

    low: float
    high: float
    ticks: tuple[float, ...]

    def place(self, value: float) -> float:
        """Return where a value lies, in percent; rounded, so that the file stays small."""
        return round(100 * (value - self.low) / (self.high - self.low), 2)

    def labelled(self, sign: bool = False) -> list[Tick]:
        """Return the ticks with as many decimals as tell them apart."""
        step = self.ticks[1] - self.ticks[0] if len(self.ticks) > 1 else 1.0
        digits = max(0, -math.floor(math.log10(step) + 1e-9))
        write = signed if sign else number
        return [Tick(self.place(t), write(t, digits)) for t in self.ticks]


@dataclass(frozen=True)
class Whisker:
    """One row of a dot-and-whisker chart, in percent of its width."""

    low: float
    dot: float
    high: float


@dataclass(frozen=True)
class LossChart:
    """Loss against step: polylines in a 100 by 100 box, y downwards."""

    train: str
    validation: str
    dots: list[tuple[float, float]]
    best: float | None
    steps: list[Tick]
    losses: list[Tick]
    label: str


@dataclass(frozen=True)
class CoverageChart:
    """Coverage against the number of rows: a polyline in a 100 by 100 box, y downwards."""

    line: str
    sizes: list[Tick]
    levels: list[Tick]
    label: str


def nice_ticks(low: float, high: float, count: int = 5) -> tuple[float, ...]:
    """Return round values from `low` to `high`: multiples of 1, 2 or 5 times a power of ten.

    Args:
        low: Lowest value.
        high: Highest value; must be larger.
        count: About how many ticks to return.
    """
    power = 10.0 ** math.floor(math.log10((high - low) / count))
    choices = [_multiples(low, high, m * power) for m in (1, 2, 5, 10)]
    return min(choices, key=lambda ticks: abs(len(ticks) - count))


def _multiples(low: float, high: float, step: float) -> tuple[float, ...]:
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return tuple(i * step for i in range(first, last + 1))


def change_axis(intervals: Iterable[Interval], scale: float = 1.0) -> Axis:
    """Return an axis that holds zero and all finite limits.

    Args:
        intervals: What shares the axis.
        scale: Factor from the intervals' unit to the axis' (100 for points).
    """
    ends = [scale * end for i in intervals for end in (i.low, i.estimate, i.high)]
    finite = [end for end in ends if math.isfinite(end)]
    low, high = min(finite, default=0.0), max(finite, default=0.0)
    low, high = min(low, 0.0), max(high, 0.0)
    if high - low < 1e-12:
        low, high = -1.0, 1.0
    pad = _PADDING * (high - low)
    return Axis(low - pad, high + pad, nice_ticks(low - pad, high + pad, 4))


def whisker(value: Interval, axis: Axis, scale: float = 1.0) -> Whisker | None:
    """Return an interval's place on the axis, or None if a limit is not finite."""
    ends = (scale * value.low, scale * value.estimate, scale * value.high)
    if not all(map(math.isfinite, ends)):
        return None
    return Whisker(*map(axis.place, ends))


def interval_tone(value: Interval, better: Literal["lower", "higher"]) -> Tone:
    """Say whether a change is an improvement, as far as its interval allows."""
    if not value.excludes_zero:
        return "unclear"
    return "better" if (value.low > 0) == (better == "higher") else "worse"


def delta_tone(delta: Delta) -> Tone:
    """Say whether the tuned model is better, worse, or not clearly different."""
    return interval_tone(delta.delta, delta.better)


def thin(points: Sequence[TrainingPoint], limit: int = MAX_POINTS) -> list[TrainingPoint]:
    """Return at most about `limit` points at a regular distance, the last one among them."""
    stride = math.ceil(len(points) / limit) if points else 1
    return [p for i, p in enumerate(points) if (len(points) - 1 - i) % stride == 0]


def loss_chart(history: Sequence[TrainingPoint], best_step: int) -> LossChart | None:
    """Return the loss curves, or None if no finite loss was logged."""
    train = _curve(history, "train_loss")
    validation = _curve(history, "validation_loss")
    losses = [loss for _, loss in train + validation]
    if not losses:
        return None
    last = max(step for step, _ in train + validation)
    steps = Axis(0.0, float(max(last, 1)), nice_ticks(0, max(last, 1), 5))
    heights = _loss_axis(losses)
    dots = _placed(validation, steps, heights)
    return LossChart(
        train=_polyline(_placed(train, steps, heights)),
        validation=_polyline(dots),
        dots=dots,
        best=steps.place(best_step) if 0 <= best_step <= last else None,
        steps=steps.labelled(),
        losses=[Tick(100 - t.at, t.label) for t in heights.labelled()],
        label=_loss_label(train, validation),
    )


def coverage_chart(points: Sequence[tuple[int, float]]) -> CoverageChart | None:
    """Return the curve of coverage against size, or None where there are too few points."""
    if len(points) < 2:
        return None
    (_, first), (rows, last) = points[0], points[-1]
    sizes = Axis(0.0, float(rows), nice_ticks(0, rows, 5))
    levels = Axis(0.0, 1.0, nice_ticks(0, 1, 5))
    return CoverageChart(
        line=_polyline(_placed(points, sizes, levels)),
        sizes=sizes.labelled(),
        levels=[Tick(100 - t.at, t.label) for t in levels.labelled()],
        label=f"Coverage from {number(first, 2)} with {points[0][0]} rows to {number(last, 2)}.",
    )


def _curve(history: Sequence[TrainingPoint], field: str) -> list[tuple[int, float]]:
    measured = [p for p in history if getattr(p, field) is not None]
    points = [(p.step, float(getattr(p, field))) for p in thin(measured)]
    return [(step, loss) for step, loss in points if math.isfinite(loss)]


def _loss_axis(losses: Sequence[float]) -> Axis:
    """From just below the lowest loss (from zero, if that is near) to just above the highest."""
    low, high = min(losses), max(losses)
    pad = max(_PADDING * (high - low), 1e-3)
    low = 0.0 if 0 <= low < 0.4 * high else low - pad
    return Axis(low, high + pad, nice_ticks(low, high + pad, 5))


def _placed(
    points: Sequence[tuple[int, float]], steps: Axis, losses: Axis
) -> list[tuple[float, float]]:
    return [(steps.place(s), round(100 - losses.place(loss), 2)) for s, loss in points]


def _polyline(points: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{x},{y}" for x, y in points)


def _loss_label(train: Sequence[tuple[int, float]], validation: Sequence[tuple[int, float]]) -> str:
    """Say in words what the chart shows, for those who cannot see it."""
    parts = []
    for name, curve in (("Training", train), ("Validation", validation)):
        if curve:
            first, last = number(curve[0][1], 3), number(curve[-1][1], 3)
            parts.append(f"{name} loss from {first} to {last}")
    return f"{'; '.join(parts)}, over {(train or validation)[-1][0]} steps."
