"""Expected calibration error, and how much it changed.

The mean distance between confidence and accuracy over bins with equally many answers (Naeini
et al. 2015; Nguyen and O'Connor 2015 for the bins). With few answers it is biased upwards: a
perfectly calibrated model has an error above 0. The bias is about equal for both models on the
same rows, so that their difference says more than either level.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from data_contracts.results import Delta, Interval
from tasks.evaluation.config import EvaluationConfig
from tasks.evaluation.examinations.calibration import CONFIDENCE

Floats = NDArray[np.float64]

# Fewer answers in a bin than this make the bin's accuracy a matter of chance.
ROWS_PER_BIN, MOST_BINS = 10, 10
_MIN_CLUSTERS = 2


def calibration_error(confidence: ArrayLike, right: ArrayLike) -> float:
    """Return the expected calibration error of answers, 0 to 1.

    Args:
        confidence: Probability that the model gives each answer, shape (answers,).
        right: 1 for a right answer, else 0; the same shape.
    """
    sure, correct = np.asarray(confidence, float), np.asarray(right, float)
    bins = min(MOST_BINS, max(1, len(sure) // ROWS_PER_BIN))
    order = np.argsort(sure, kind="stable")
    parts = np.array_split(order, bins)
    gaps = [abs(float(sure[part].mean() - correct[part].mean())) * len(part) for part in parts]
    return sum(gaps) / len(sure)


def calibration_delta(
    rows: pd.DataFrame, clusters: Sequence[str], config: EvaluationConfig
) -> Iterator[Delta]:
    """Yield the change of the error with its 95 % interval; nothing for a single cluster.

    Args:
        rows: One row an answer, with columns (`value` or `value_tuned`, measure).
        clusters: Cluster of each row.
        config: Of the bootstrap.
    """
    both = rows[[(side, m) for side in ("value", "value_tuned") for m in (CONFIDENCE, "right")]]
    kept = both.notna().all(axis=1).to_numpy()
    values, names = both.to_numpy(float)[kept], np.asarray(clusters)[kept]
    if len(set(names)) < _MIN_CLUSTERS:
        return
    base, tuned = _errors(values)
    yield Delta(
        set="calibration",
        name="answers",
        measure="calibration_error",
        better="lower",
        rows=len(values),
        clusters=len(set(names)),
        base=base,
        tuned=tuned,
        delta=_interval(values, names, config),
    )


def _errors(values: Floats) -> tuple[float, float]:
    columns = values.T
    return calibration_error(columns[0], columns[1]), calibration_error(columns[2], columns[3])


def _interval(values: Floats, names: NDArray[np.str_], config: EvaluationConfig) -> Interval:
    """Draw whole clusters; the interval is the basic one, which takes the bias out.

    Resampling adds about as much bias again as sampling did, so what the bootstrap's mean lies
    off is mirrored at the estimate (Davison and Hinkley 1997, section 5.2.1).
    """
    rng = np.random.default_rng(config.seed)
    _, owner = np.unique(names, return_inverse=True)
    members = [np.flatnonzero(owner == at) for at in range(owner.max() + 1)]
    base, tuned = _errors(values)
    estimate, drawn = tuned - base, []
    for _ in range(config.bootstrap_resamples):
        chosen = rng.integers(len(members), size=len(members))
        first, second = _errors(values[np.concatenate([members[at] for at in chosen])])
        drawn.append(second - first)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Interval(
        estimate=estimate,
        low=min(2 * estimate - float(high), estimate),
        high=max(2 * estimate - float(low), estimate),
    )
