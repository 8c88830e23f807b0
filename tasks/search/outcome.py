"""What a search found: all trials, the front, what mattered."""

from typing import TYPE_CHECKING

from data_contracts.search import SweepOutcome, TrialRecord
from tasks.search.config import SweepConfig
from tasks.search.study import FIGURES, REASON, RUN, VALUES, ended, importances

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial

_STATES = {"COMPLETE": "complete", "PRUNED": "pruned", "FAIL": "failed"}


def outcome_of(study: "Study", config: SweepConfig) -> SweepOutcome:
    """Read a search's outcome; with one objective the front is the best trial."""
    trials = [_record(trial, config) for trial in ended(study)]
    return SweepOutcome(
        study=study.study_name,
        objectives=config.objectives,
        trials=trials,
        front=front(trials, config.objectives),
        importances={
            name: importances(study, number) for number, name in enumerate(config.objectives)
        },
    )


def front(trials: list[TrialRecord], objectives: tuple[str, ...]) -> list[int]:
    """Return the complete trials that no other one equals or beats everywhere.

    Of trials with equal figures the earliest counts.
    """
    points = {
        trial.number: tuple(trial.objectives[name] for name in objectives)
        for trial in trials
        if trial.state == "complete"
    }
    best = [number for number in points if not any(_beats(points, o, number) for o in points)]
    return sorted(best, key=lambda number: (points[number], number))


def _beats(points: dict[int, tuple[float, ...]], one: int, other: int) -> bool:
    a, b = points[one], points[other]
    return all(x <= y for x, y in zip(a, b, strict=True)) and (a != b or one < other)


def _record(trial: "FrozenTrial", config: SweepConfig) -> TrialRecord:
    told = trial.user_attrs
    complete = trial.state.name == "COMPLETE"
    duration = trial.duration
    return TrialRecord(
        number=trial.number,
        state=_STATES[trial.state.name],
        values=told.get(VALUES, {}),
        objectives=dict(zip(config.objectives, trial.values, strict=True)) if complete else {},
        figures=told.get(FIGURES, {}),
        reason=told.get(REASON),
        run_id=told.get(RUN),
        seconds=duration.total_seconds() if duration else 0.0,
    )
