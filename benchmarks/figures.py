"""Figures as several pages of results tell them."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from data_contracts.results import Interval


def middle(found: Sequence[Mapping[str, Any]], name: str) -> float:
    """Return the median of a figure over the rounds."""
    return float(median(entry[name] for entry in found))


def told(interval: Interval | None) -> str:
    """Return an interval in words."""
    if interval is None:
        return "-"
    return f"{interval.estimate:+.3f} [{interval.low:+.3f}, {interval.high:+.3f}]"


def marked(interval: Interval | None) -> str:
    """Return an interval in words; `*` where it excludes 0."""
    apart = interval is not None and not interval.low <= 0 <= interval.high
    return told(interval) + " *" * apart
