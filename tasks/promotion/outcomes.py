"""What a leg can end with, and how an interval is asked whether it keeps a margin."""

from math import sqrt

from data_contracts.results import Delta, Interval, Leg, Outcome

PASS: Outcome = "PASS"  # noqa: S105 - an outcome, no password
FAIL: Outcome = "FAIL"
INSUFFICIENT: Outcome = "INSUFFICIENT EVIDENCE"

_FROM_WORST: tuple[Outcome, ...] = (FAIL, INSUFFICIENT, PASS)


def worst(outcomes: list[Outcome]) -> Outcome:
    """Return the worst outcome; without any, nothing has been shown."""
    return min(outcomes, key=_FROM_WORST.index, default=INSUFFICIENT)


def within(loss: Interval, margin: float, noise: float | None = None) -> Outcome:
    """Say whether a loss, of which more is worse, has been shown to stay within its margin.

    Args:
        loss: The loss with its interval.
        margin: The loss that does not matter in practice.
        noise: Noise floor of the measuring; above the margin, it can show nothing.
    """
    if noise is not None and noise > margin:
        return INSUFFICIENT
    if loss.high <= margin:
        return PASS
    return FAIL if loss.low > margin else INSUFFICIENT


def negated(interval: Interval) -> Interval:
    """Return the interval of the opposite quantity: a gain's is a loss's."""
    return Interval(estimate=-interval.estimate, low=-interval.high, high=-interval.low)


def shown(interval: Interval) -> str:
    """Return an interval as reasons state it."""
    return f"{interval.estimate:+.3f} (95 % interval {interval.low:+.3f} to {interval.high:+.3f})"


def missing(name: str, what: str) -> Leg:
    """Return the leg of a comparison that was not made."""
    reason = f"{what} was not measured, or on fewer than two independent groups of rows."
    return Leg(name=name, outcome=INSUFFICIENT, reason=reason)


def not_measured(name: str, what: str) -> Leg:
    """Return a leg that counts, and that nobody measured."""
    reason = f"{what} was not measured. To judge without, say why under gate.switched_off.{name}."
    return Leg(name=name, outcome=INSUFFICIENT, reason=reason)


def share_interval(share: float, rows: int) -> Interval:
    """Return the 95 % interval of a share of rows, by Wilson's score (Wilson 1927)."""
    z = 1.959964
    centre = (share + z**2 / (2 * rows)) / (1 + z**2 / rows)
    arm = z / (1 + z**2 / rows) * sqrt(share * (1 - share) / rows + z**2 / (4 * rows**2))
    return Interval(estimate=share, low=max(0.0, centre - arm), high=min(1.0, centre + arm))


def delta_figures(delta: Delta, margin: float) -> dict[str, float]:
    """Return the figures that a leg on a delta rests on."""
    figures = {
        "base": delta.base,
        "tuned": delta.tuned,
        "delta": delta.delta.estimate,
        "delta_low": delta.delta.low,
        "delta_high": delta.delta.high,
        "margin": margin,
        "rows": float(delta.rows),
        "groups": float(delta.clusters),
    }
    return figures if delta.noise_floor is None else figures | {"noise_floor": delta.noise_floor}
