"""What a comparison logs as metrics."""

import re

from data_contracts.results import CheckpointChange, Comparison, Delta, Gap

# What MLflow takes in the name of a metric.
_NOT_IN_NAMES = re.compile(r"[^\w\-./ :]", re.ASCII)


def comparison_metrics(comparison: Comparison) -> dict[str, float]:
    """Return every figure of a comparison by the name of its metric."""
    metrics = _checkpoint_metrics(comparison.checkpoints)
    for delta in comparison.deltas:
        metrics |= delta_metrics(delta)
    for gap in comparison.gaps:
        metrics |= _gap_metrics(gap)
    return metrics


def delta_metrics(delta: Delta) -> dict[str, float]:
    """Return the figures of one difference by the name of their metric."""
    part = "" if delta.name == "all" else f"{delta.name}."
    name = _NOT_IN_NAMES.sub("_", f"{delta.set}.{part}{delta.measure}")
    noise = {} if delta.noise_floor is None else {f"{name}.noise_floor": delta.noise_floor}
    return noise | {
        f"{name}.rows": delta.rows,
        f"{name}.base": delta.base,
        f"{name}.tuned": delta.tuned,
        f"{name}.delta": delta.delta.estimate,
        f"{name}.delta_low": delta.delta.low,
        f"{name}.delta_high": delta.delta.high,
    }


def _gap_metrics(gap: Gap) -> dict[str, float]:
    name = f"gap.{gap.set}"
    found = gap.base_interval
    ends = {} if found is None else {f"{name}.base_low": found.low, f"{name}.base_high": found.high}
    return ends | {
        f"{name}.base": gap.base,
        f"{name}.tuned": gap.tuned,
        f"{name}.excess": gap.excess.estimate,
        f"{name}.excess_low": gap.excess.low,
        f"{name}.excess_high": gap.excess.high,
    }


def _checkpoint_metrics(change: CheckpointChange | None) -> dict[str, float]:
    if change is None:
        return {}
    return {
        "checkpoints.best": change.best,
        "checkpoints.last": change.last,
        "checkpoints.delta": change.delta.estimate,
        "checkpoints.delta_low": change.delta.low,
        "checkpoints.delta_high": change.delta.high,
    }
