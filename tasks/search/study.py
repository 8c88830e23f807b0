"""A search in Optuna's database: asked for trials, told their outcome, resumed after a kill.

A draw depends on the seed, on how many trials have ended and on what came of them, never on
the process. So a search that was killed draws the interrupted trial again, finds its
checkpoints and ends as an undisturbed one.
"""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_contracts.base import digest
from data_contracts.errors import StorageError, TrainingError
from tasks.search.config import SweepConfig
from tasks.search.space import draw

if TYPE_CHECKING:
    from optuna import Study, Trial
    from optuna.trial import FrozenTrial

# Attributes of a trial in the database.
VALUES, REASON, RUN, FIGURES = "values", "reason", "run_id", "figures"

# A trial that ended the process so often, most likely out of memory, is not tried again.
MOST_INTERRUPTIONS = 2

_SEEDS = 2**32  # numpy's seeds are below


def study_name(config: SweepConfig, material: Mapping[str, Any]) -> str:
    """Return the name of a search: the same wherever its results could be the same.

    Args:
        config: All of it counts but the number of trials, so that more can be added.
        material: What it runs on: rows, base model, the profile.
    """
    told = config.model_dump(mode="json", exclude={"trials"})
    return digest({"sweep": told, **material}, length=16)


@contextmanager
def opened_study(home: Path, name: str, config: SweepConfig) -> "Iterator[Study]":
    """Open a search, or begin it; trials that a kill left running are marked as interrupted.

    Raises:
        StorageError: Another process runs this search, or the database cannot be used.
    """
    from filelock import FileLock, Timeout

    folder = home / "sweeps"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / f"{name}.lock", timeout=0):
            study = _open(folder, name, config)
            _mark_interrupted(study)
            yield study
    except Timeout as error:
        raise StorageError(
            f"Another process runs this search ({name}) already. Wait for it, or end it."
        ) from error
    except OSError as error:
        raise StorageError(
            f"Cannot use {folder}: {error}. Free disk space or set TEMPER_HOME to another disk, "
            "then run again: finished trials are kept."
        ) from error


def _open(folder: Path, name: str, config: SweepConfig) -> "Study":
    import optuna
    from sqlalchemy.exc import SQLAlchemyError

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        return optuna.create_study(
            study_name=name,
            storage=f"sqlite:///{folder / 'optuna.db'}",
            directions=["minimize"] * len(config.objectives),
            load_if_exists=True,
            pruner=optuna.pruners.MedianPruner(n_startup_trials=config.startup_trials),
        )
    except (SQLAlchemyError, optuna.exceptions.StorageInternalError) as error:
        raise StorageError(
            f"The database {folder / 'optuna.db'} cannot be used: {error}. Move it away to begin "
            "anew, or free disk space."
        ) from error


def _mark_interrupted(study: "Study") -> None:
    from optuna.trial import TrialState

    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        study.tell(trial.number, state=TrialState.FAIL)


def is_interrupted(trial: "FrozenTrial") -> bool:
    """Return whether a trial ended with its process: it failed, and nobody said why."""
    return trial.state.name == "FAIL" and REASON not in trial.user_attrs


def ended(study: "Study") -> "list[FrozenTrial]":
    """Return the trials that have an outcome, in their order."""
    return [t for t in study.get_trials() if t.state.is_finished() and not is_interrupted(t)]


def next_trial(
    study: "Study", config: SweepConfig, method: str
) -> "tuple[Trial, dict[str, Any]] | None":
    """Draw the next trial and its values; None where there are as many as were asked for."""
    while (done := len(ended(study))) < config.trials:
        trial, values = _ask(study, config, method, done)
        times = _interruptions(study, values)
        if times < MOST_INTERRUPTIONS:
            return trial, values
        fail(
            study,
            trial,
            TrainingError(
                f"It ended the process {times} times, most likely for lack of memory; it is not "
                "tried again."
            ),
        )
    return None


def _ask(
    study: "Study", config: SweepConfig, method: str, done: int
) -> "tuple[Trial, dict[str, Any]]":
    from optuna.samplers import TPESampler

    seed = int(digest([config.seed, done], length=8), 16) % _SEEDS
    study.sampler = TPESampler(seed=seed, n_startup_trials=config.startup_trials)
    trial = study.ask()
    values = draw(trial, config.space, method)
    trial.set_user_attr(VALUES, values)
    return trial, values


def _interruptions(study: "Study", values: Mapping[str, Any]) -> int:
    gone = [trial for trial in study.get_trials() if is_interrupted(trial)]
    return sum(trial.user_attrs.get(VALUES) == values for trial in gone)


def succeed(study: "Study", trial: "Trial", objectives: list[float]) -> None:
    """Store what a trial reached."""
    study.tell(trial, objectives)


def prune(study: "Study", trial: "Trial") -> None:
    """Store that a trial was stopped."""
    from optuna.trial import TrialState

    study.tell(trial, state=TrialState.PRUNED)


def fail(study: "Study", trial: "Trial", reason: Exception) -> None:
    """Store that a trial failed, and why."""
    from optuna.trial import TrialState

    trial.set_user_attr(REASON, str(reason))
    study.tell(trial, state=TrialState.FAIL)


def importances(study: "Study", objective: int) -> dict[str, float]:
    """Return how much each path mattered for an objective, summing to 1; empty if unknown.

    By PED-ANOVA (Watanabe, Bansal, Hutter 2023), of the paths that all complete trials have: an
    option of one method cannot be ranked beside what every trial varies.
    """
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

    complete = [trial for trial in ended(study) if trial.state.name == "COMPLETE"]
    if len(complete) < FEWEST_FOR_IMPORTANCE:
        return {}
    common = set.intersection(*(set(trial.params) for trial in complete))
    if not common:
        return {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it tells of the trials that are too few for its quantile
        found = get_param_importances(
            study,
            params=sorted(common),
            evaluator=PedAnovaImportanceEvaluator(),
            target=lambda trial: float(trial.values[objective]),
        )
    return {path: float(share) for path, share in found.items()}


# With fewer trials than this a share says nothing: PED-ANOVA compares the best tenth with all.
FEWEST_FOR_IMPORTANCE = 10
