"""Best against last checkpoint, with noise and the choice of the best taken into account."""

import numpy as np
import pytest

from data_contracts.results import Comparison
from tasks.evaluation.checkpoints import checkpoint_change
from tasks.evaluation.config import EvaluationConfig
from tasks.evaluation.measured import comparison_metrics
from tasks.modeling.checkpoint_losses import CheckpointLosses

CONFIG = EvaluationConfig(bootstrap_resamples=400)
GROUPS = [f"g{group}" for group in range(12) for _ in range(3)]
TOKENS = [5 + number % 4 for number in range(len(GROUPS))]


def losses(best: np.ndarray, last: np.ndarray, checkpoints: int = 2, **changes) -> CheckpointLosses:
    """Return what training keeps, from each row's mean loss per token."""
    options = {
        "checkpoints": checkpoints,
        "best_step": 3,
        "last_step": 9,
        "clusters": GROUPS,
        "tokens": TOKENS,
        "best": list(best * np.array(TOKENS)),
        "last": list(last * np.array(TOKENS)),
    }
    return CheckpointLosses.model_validate(options | changes)


def test_a_rise_on_most_rows_is_worse_and_noise_is_none() -> None:
    rng = np.random.default_rng(0)
    best, noise = rng.normal(2, 1, len(GROUPS)), rng.normal(0, 0.1, len(GROUPS))
    risen = checkpoint_change(losses(best, best + 0.2 + noise), CONFIG)
    assert risen is not None
    assert risen.change == "worse"
    assert risen.delta.estimate == pytest.approx(risen.last - risen.best)
    assert (risen.rows, risen.clusters, risen.best_step, risen.last_step) == (36, 12, 3, 9)
    same = checkpoint_change(losses(best, best + noise - noise.mean() + 0.005), CONFIG)
    assert same is not None
    assert same.change == "none"
    assert same.delta.low <= 0 <= same.delta.high


def test_means_are_weighted_by_token() -> None:
    best = np.zeros(len(GROUPS))
    last = np.where(np.array(TOKENS) == 8, 1.0, 0.0)
    found = checkpoint_change(losses(best, last), CONFIG)
    assert found is not None
    assert found.last == pytest.approx(9 * 8 / sum(TOKENS))


def test_the_last_being_the_best_is_no_change() -> None:
    best = np.linspace(1, 2, len(GROUPS))
    found = checkpoint_change(losses(best, best, best_step=9), CONFIG)
    assert found is not None
    assert (found.delta.low, found.delta.high, found.change) == (0, 0, "none")


def test_rows_of_a_single_group_tell_nothing() -> None:
    best = np.linspace(1, 2, len(GROUPS))
    assert checkpoint_change(losses(best, best, clusters=["g"] * len(GROUPS)), CONFIG) is None


def test_the_best_of_many_equal_checkpoints_is_no_better() -> None:
    """Uncorrected, about one in eight of these would be called worse."""
    rng, called = np.random.default_rng(0), 0
    for _ in range(200):
        rows = rng.normal(size=(8, len(GROUPS))) + np.repeat(rng.normal(size=(8, 12)), 3, axis=1)
        best = rows[(rows * TOKENS).sum(axis=1).argmin()]
        found = checkpoint_change(losses(best, rows[-1], checkpoints=8), CONFIG)
        called += found is not None and found.change == "worse"
    assert called <= 0.05 * 200


def test_it_is_among_the_metrics() -> None:
    best = np.linspace(1, 2, len(GROUPS))
    change = checkpoint_change(losses(best, best + 0.1), CONFIG)
    comparison = Comparison(deltas=[], gaps=[], improved=[], worsened=[], checkpoints=change)
    assert comparison_metrics(comparison)["checkpoints.delta"] == pytest.approx(0.1)
