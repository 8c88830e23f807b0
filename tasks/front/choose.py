"""Which points nothing beats, and which one to take."""

from collections.abc import Sequence

from data_contracts.front import Front, FrontPoint, Sharpness
from data_contracts.results import Interval
from tasks.promotion.config import GateConfig


def front_of(
    points: Sequence[FrontPoint], gate: GateConfig, base_sharpness: Sharpness | None = None
) -> Front:
    """Return the front of some points.

    Args:
        points: Measured on validation rows; those without figures take no part.
        gate: Its margins say how much forgetting does not matter.
        base_sharpness: Of the base, for comparison.
    """
    measured = [p for p in points if p.learning is not None and p.forgetting is not None]
    allowed = [p for p in measured if within_margins(p, gate)]
    best = max(allowed, key=_gain, default=None)
    return Front(
        points=list(points),
        pareto=[p.number for p in pareto(measured)],
        recommended=None if best is None else best.number,
        rule=rule(gate),
        because=_because(best, len(allowed), len(measured)),
        base_sharpness=base_sharpness,
    )


def pareto(points: Sequence[FrontPoint]) -> list[FrontPoint]:
    """Return the points that no other one beats, least forgetting first.

    A point beats another if it learned at least as much and forgot at most as much, and is
    not equal in both. Estimates are compared; the intervals say how far to trust them.
    """
    kept = [p for p in points if not any(_beats(other, p) for other in points)]
    return sorted(kept, key=lambda p: (_loss(p), p.number))


def within_margins(point: FrontPoint, gate: GateConfig) -> bool:
    """Say whether a point surely learned, surely kept general text, and lost no skills surely."""
    if point.learning is None or point.forgetting is None:
        return False
    skills = point.skill_loss
    kept = skills is None or skills.low <= gate.max_skill_loss
    return point.learning.low > 0 and point.forgetting.high <= gate.max_text_loss and kept


def rule(gate: GateConfig) -> str:
    """Return the rule of recommendation in words."""
    return (
        "The largest gain on validation answers among points whose gain's 95 % interval lies "
        "above 0, whose whole forgetting interval stays within the gate's margin of "
        f"{gate.max_text_loss:g} nats per token of general text, and which are not shown to have "
        f"lost more than {gate.max_skill_loss:.0%} of general skills."
    )


def negated(interval: Interval) -> Interval:
    """Return the interval of the opposite difference."""
    low, high = 0.0 - interval.high, 0.0 - interval.low  # 0 - 0 is 0, and -0 is not
    return Interval(estimate=0.0 - interval.estimate, low=low, high=high)


def _beats(one: FrontPoint, other: FrontPoint) -> bool:
    better = (_gain(one), -_loss(one)), (_gain(other), -_loss(other))
    return better[0] != better[1] and all(a >= b for a, b in zip(*better, strict=True))


def _gain(point: FrontPoint) -> float:
    return float("-inf") if point.learning is None else point.learning.estimate


def _loss(point: FrontPoint) -> float:
    return float("inf") if point.forgetting is None else point.forgetting.estimate


def _because(best: FrontPoint | None, allowed: int, measured: int) -> str:
    if best is None:
        return f"None of {measured} measured points meets the rule: keep the base, or search on."
    return f"{best.name} gained most of the {allowed} of {measured} points that meet the rule."
