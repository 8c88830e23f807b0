"""95 % intervals for differences between base and tuned model.

Rows of one document are not independent, so whole clusters are drawn (Davison and Hinkley
1997, section 3.8). With few clusters a percentile interval is too short, which three
corrections mend:

- A cluster pulls the mean towards itself, the larger the more, so that its residual looks
  too small: residuals are divided by one less the cluster's share, as the jackknife does
  (Bell and McCaffrey 2002; CV3 in MacKinnon, Nielsen and Webb 2023).
- Each arm is stretched from the normal to the t quantile (after Hesterberg 2015, "What
  Teachers Should Know About the Bootstrap", section 3.3), with Kish's effective number of
  clusters less one as degrees of freedom, since unequal clusters count for fewer.
- Where rows are right or wrong and few change sides, resampling what never happened gives
  no spread: one row lost and one row won are added (Bonett and Price 2012). Less than a row
  would be too little where every change is a loss.

Measured coverage: docs/results/interval-coverage.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from data_contracts.errors import TooFewRows
from data_contracts.results import Interval

Floats = NDArray[np.float64]

_TAIL = 0.025  # of chance, on either side

# Bounds memory to some 50 MB, however many clusters there are.
_DRAWS_AT_ONCE = 2_000_000


@dataclass(frozen=True)
class Sample:
    """Measured differences, one per row.

    Attributes:
        differences: Tuned minus base, shape (rows,).
        clusters: Cluster of each row; at least two differ.
        weights: How much each row counts in the mean; all alike if None.
    """

    differences: ArrayLike
    clusters: Sequence[str]
    weights: ArrayLike | None = None


@dataclass(frozen=True)
class _Draws:
    """An estimate, its bootstrap distribution and its degrees of freedom."""

    estimate: float
    resampled: Floats  # shape (resamples,)
    freedom: float


def paired_interval(
    base: ArrayLike,
    tuned: ArrayLike,
    clusters: Sequence[str],
    seed: int,
    resamples: int,
    weights: ArrayLike | None = None,
    right_or_wrong: bool = False,
    comparisons: int = 1,
) -> Interval:
    """Return the mean of tuned - base over the same rows, with its interval.

    Args:
        base: Value of each row under the base model, shape (rows,).
        tuned: Value of each row under the tuned model, same order.
        clusters: Cluster of each row.
        seed: Seed of the resampling.
        resamples: How many times the clusters are drawn.
        weights: How much each row counts in the mean; all alike if None.
        right_or_wrong: Values are 0 or 1 and rows count alike, so that the mean is a share.
        comparisons: How many differences this one was picked from: all intervals together are
            to hold with 95 % (Bonferroni). Not for shares.

    Raises:
        TooFewRows: There are fewer than two clusters, so nothing is known about chance.
    """
    differences = np.asarray(tuned, float) - np.asarray(base, float)
    sample, rng = Sample(differences, clusters, weights), np.random.default_rng(seed)
    _check_clusters(len(set(clusters)))
    if right_or_wrong:
        return _share_interval(sample, rng, resamples)
    draws = _draw(sample, rng, resamples)
    return _interval(draws.estimate, draws.resampled, draws.freedom, _TAIL / comparisons)


def _share_interval(sample: Sample, rng: np.random.Generator, resamples: int) -> Interval:
    """Return the interval of a difference of shares; it always holds the estimate itself."""
    differences = np.asarray(sample.differences, float)
    added = Sample([*differences, 1.0, -1.0], [*sample.clusters, "row won", "row lost"])
    draws = _draw(added, rng, resamples)
    found = _interval(draws.estimate, draws.resampled, draws.freedom)
    estimate = float(differences.mean())
    return Interval(
        estimate=estimate,
        low=max(-1.0, min(found.low, estimate)),
        high=min(1.0, max(found.high, estimate)),
    )


def unpaired_interval(first: Sample, second: Sample, seed: int, resamples: int) -> Interval:
    """Return the mean of `first` minus that of `second`, drawn independently.

    Degrees of freedom are those of Welch and Satterthwaite.

    Raises:
        TooFewRows: A sample has fewer than two clusters.
    """
    rng = np.random.default_rng(seed)
    a, b = _draw(first, rng, resamples), _draw(second, rng, resamples)
    parts = np.array([a.resampled.var(), b.resampled.var()])
    denominator = float((parts**2 / np.array([a.freedom, b.freedom])).sum())
    smallest = min(a.freedom, b.freedom)
    freedom = float(parts.sum() ** 2) / denominator if denominator > 0 else smallest
    return _interval(a.estimate - b.estimate, a.resampled - b.resampled, freedom)


def _draw(sample: Sample, rng: np.random.Generator, resamples: int) -> _Draws:
    totals, weights = _cluster_sums(sample)
    number = len(weights)
    _check_clusters(number)
    estimate = float(totals.sum() / weights.sum())
    residuals = (totals - estimate * weights) / (1 - weights / weights.sum())
    means = _resampled_means(residuals, weights, rng, resamples)
    centred = means - residuals.sum() / weights.sum()
    spread = estimate + centred * np.sqrt((number - 1) / number)
    effective = float(weights.sum() ** 2 / (weights**2).sum())  # Kish 1965
    return _Draws(estimate, spread, max(effective - 1, 1.0))


def _check_clusters(number: int) -> None:
    if number < 2:
        raise TooFewRows(
            f"An interval needs at least two independent groups of rows, got {number}."
        )


def _resampled_means(
    totals: Floats, weights: Floats, rng: np.random.Generator, resamples: int
) -> Floats:
    """Return the weighted mean of each resample of the clusters, shape (resamples,)."""
    number = len(weights)
    rows = max(1, _DRAWS_AT_ONCE // number)
    means = []
    for start in range(0, resamples, rows):
        drawn = rng.integers(number, size=(min(rows, resamples - start), number))
        means.append(totals[drawn].sum(axis=1) / weights[drawn].sum(axis=1))
    return np.concatenate(means)


def _cluster_sums(sample: Sample) -> tuple[Floats, Floats]:
    """Return weighted difference and weight, each summed by cluster, shape (clusters,)."""
    differences = np.asarray(sample.differences, float)
    weights = np.ones_like(differences)
    if sample.weights is not None:
        weights = np.asarray(sample.weights, float)
    _, index = np.unique(np.asarray(sample.clusters), return_inverse=True)
    totals: Floats = np.bincount(index, weights * differences).astype(float)
    return totals, np.bincount(index, weights).astype(float)


def _interval(estimate: float, resampled: Floats, freedom: float, tail: float = _TAIL) -> Interval:
    from scipy.stats import norm, t

    low, high = np.quantile(resampled, [tail, 1 - tail])
    wide: Any = t.ppf(1 - tail, freedom)
    normal: Any = norm.ppf(1 - tail)
    stretch = float(wide) / float(normal)
    return Interval(
        estimate=estimate,
        low=estimate - stretch * max(estimate - float(low), 0.0),
        high=estimate + stretch * max(float(high) - estimate, 0.0),
    )
