"""Losses of the validation rows at the best and the last checkpoint, beside a tuned model."""

from pathlib import Path

from data_contracts.base import Result

CHECKPOINT_LOSSES = "validation_losses.json"


class CheckpointLosses(Result):
    """What each validation row lost at two checkpoints, in nats summed over its tokens."""

    checkpoints: int  # measured in all; the best one was chosen among them
    best_step: int
    last_step: int
    clusters: list[str]  # of each row: rows of one group rise and fall together
    tokens: list[int]
    best: list[float]
    last: list[float]


def read_checkpoint_losses(folder: Path) -> CheckpointLosses | None:
    """Return what training kept; None for a model of a version that kept nothing."""
    path = folder / CHECKPOINT_LOSSES
    if not path.is_file():
        return None
    return CheckpointLosses.model_validate_json(path.read_text(encoding="utf-8"))
