"""Best against last checkpoint: did training go on for too long, or is it noise?"""

import numpy as np

from data_contracts.results import CheckpointChange
from tasks.evaluation.bootstrap import paired_interval
from tasks.evaluation.config import EvaluationConfig
from tasks.modeling.checkpoint_losses import CheckpointLosses

_MIN_CLUSTERS = 2


def checkpoint_change(
    losses: CheckpointLosses, config: EvaluationConfig
) -> CheckpointChange | None:
    """Return how far validation loss at the last checkpoint lies above that at the best.

    The best checkpoint was chosen on these rows, so that one of many looks better than it is.
    The interval is corrected for as many comparisons as the last checkpoint could have lost.

    Args:
        losses: Of each validation row at both.
        config: Of the bootstrap.

    Returns:
        The change; None where the rows form a single group, which tells nothing about chance.
    """
    if len(set(losses.clusters)) < _MIN_CLUSTERS:
        return None
    tokens = np.asarray(losses.tokens, float)
    best, last = np.asarray(losses.best) / tokens, np.asarray(losses.last) / tokens
    interval = paired_interval(
        best,
        last,
        losses.clusters,
        config.seed,
        config.bootstrap_resamples,
        tokens,
        comparisons=max(1, losses.checkpoints - 1),
    )
    return CheckpointChange(
        checkpoints=losses.checkpoints,
        best_step=losses.best_step,
        last_step=losses.last_step,
        rows=len(losses.tokens),
        clusters=len(set(losses.clusters)),
        best=float(np.average(best, weights=tokens)),
        last=float(np.average(last, weights=tokens)),
        delta=interval,
    )
