"""What a search over options, and a cross-validation, find."""

from typing import Any

from data_contracts.base import Result


class TrialRecord(Result):
    """One trial."""

    number: int
    state: str  # complete, pruned or failed
    values: dict[str, Any]  # path to value
    objectives: dict[str, float]  # empty unless complete
    figures: dict[str, float]
    reason: str | None  # why it failed
    run_id: str | None  # its child run in MLflow
    seconds: float


class SweepOutcome(Result):
    """Everything a search found; `front` holds numbers of trials, lowest first objective first."""

    study: str
    objectives: tuple[str, ...]
    trials: list[TrialRecord]
    front: list[int]
    importances: dict[str, dict[str, float]]  # objective to path to share

    def trial(self, number: int) -> TrialRecord:
        """Return the trial of that number."""
        return next(trial for trial in self.trials if trial.number == number)


class FoldRecord(Result):
    """What training without one fold led to; losses in nats per supervised token."""

    fold: int
    loss: float  # on the fold's rows
    validation_loss: float  # the best one on the rows that training stopped by
    train_rows: int
    scored_rows: int
    best_step: int
    steps: int
    seconds: float
