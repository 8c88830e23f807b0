"""The Prefect tasks of search: one trial; the folds of a cross-validation."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from data_contracts.base import digest
from data_contracts.errors import StorageError, TemperError
from data_contracts.results import BaseModelRef, TrainingPoint
from data_contracts.search import FoldRecord
from tasks.evaluation.config import EvaluationConfig
from tasks.search.config import SweepConfig
from tasks.search.study import FIGURES, RUN, fail, prune, succeed
from tasks.tracking import RunContext, flatten, stage_run
from tasks.training.config import TrainingConfig

if TYPE_CHECKING:
    import pyarrow as pa
    from optuna import Study, Trial

    from tasks.evaluation.general import TextItem
    from tasks.search.measure import Measured

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Material:
    """What a trial trains on and is scored by.

    Attributes:
        tables: One without test rows; or one a fold, the fold being its test rows.
        base: The model to start from.
        training: The trial's options.
        evaluation: How text is scored.
        texts: General text; none where retention is no objective.
        base_text: The base's loss on it.
    """

    tables: Sequence["pa.Table"]
    base: BaseModelRef
    training: TrainingConfig
    evaluation: EvaluationConfig
    texts: Sequence["TextItem"] = ()
    base_text: float = 0.0


class Stopped(Exception):
    """A trial is not worth going on with."""


@task(name="trial", cache_policy=NO_CACHE)
def run_trial(
    study: "Study",
    trial: "Trial",
    values: Mapping[str, Any],
    prepare: Callable[[], Material],
    config: SweepConfig,
    context: RunContext,
) -> None:
    """Run a trial to its outcome, in a child run of its own; one that fails ends with a reason.

    Args:
        study: Told the outcome.
        trial: What was drawn.
        values: Its values.
        prepare: Gives the material; what it raises is the trial's failure.
        config: Options of the search.
        context: Home and parent run.

    Raises:
        StorageError: The disk is full: no fault of the trial.
    """
    from tasks.search.measure import discard

    told = ", ".join(f"{path} {value}" for path, value in values.items())
    logger.info("trial %d: %s", trial.number, told)
    folder = context.home / "sweeps" / study.study_name / digest(dict(values), length=16)
    material = _prepared(prepare)  # its stages have runs of their own, beside the trial's
    try:
        with stage_run(context, f"trial {trial.number}") as mlflow:
            trial.set_user_attr(RUN, mlflow.active_run().info.run_id)
            mlflow.log_params(flatten(values))
            mlflow.set_tags({"temper.study": study.study_name, "temper.trial": trial.number})
            _attempt(study, trial, material, config, folder, mlflow)
    except StorageError:
        raise
    except TemperError as error:
        fail(study, trial, error)
        logger.warning("trial %d failed: %s", trial.number, error)
    discard(folder)


def _prepared(prepare: Callable[[], Material]) -> Material | TemperError:
    """Return the material, or why there is none."""
    try:
        return prepare()
    except StorageError:
        raise
    except TemperError as error:
        return error


def _attempt(
    study: "Study",
    trial: "Trial",
    material: Material | TemperError,
    config: SweepConfig,
    folder: Path,
    mlflow: Any,
) -> None:
    mlflow.set_tag("temper.state", "failed")  # until it is known better
    if isinstance(material, TemperError):
        raise material
    try:
        found = fold_by_fold(material, folder, _reporter(trial, config, material, mlflow))
    except Stopped:
        prune(study, trial)
        mlflow.set_tag("temper.state", "pruned")
        logger.info("trial %d: stopped, worse than the median so far", trial.number)
        return
    figures = figures_of(found, material.base_text)
    objectives = [figures[name] for name in config.objectives]
    mlflow.log_metrics(figures)
    trial.set_user_attr(FIGURES, figures)
    succeed(study, trial, objectives)
    mlflow.set_tag("temper.state", "complete")
    told = ", ".join(f"{name} {figures[name]:.4f}" for name in config.objectives)
    logger.info("trial %d: %s", trial.number, told)


Report = Callable[[int, TrainingPoint | None, list["Measured"]], None]


def fold_by_fold(material: Material, folder: Path, report: Report) -> "list[Measured]":
    """Measure on each table in turn.

    Args:
        material: Tables, model and options.
        folder: For what training writes.
        report: Called with the number of the table and, at every measured moment of training
            the moment, after each table None, and with what was measured so far.
    """
    from tasks.search.measure import measure

    found: list[Measured] = []
    for number, table in enumerate(material.tables):
        found.append(
            measure(
                table,
                material.base,
                material.training,
                folder / str(number),
                partial(_moment, report, number, found),
                material.evaluation,
                material.texts,
            )
        )
        report(number, None, found)
    return found


def _moment(report: Report, number: int, found: "list[Measured]", point: TrainingPoint) -> None:
    report(number, point, found)


def _reporter(trial: "Trial", config: SweepConfig, material: Material, mlflow: Any) -> Report:
    """Return what logs moments and stops a trial that lags: by evaluation, or by fold."""
    moments = material.training.evaluations_per_epoch
    folds = len(material.tables) > 1
    told = {-1}  # evaluations may come closer than the moments at which trials are compared

    def report(number: int, point: TrainingPoint | None, found: list["Measured"]) -> None:
        if point is not None and point.validation_loss is not None:
            name = f"fold_{number}.validation_loss" if folds else "validation_loss"
            mlflow.log_metric(name, point.validation_loss, step=point.step)
        if config.pruned and folds and point is None:
            _stop_if_behind(trial, _mean([one.loss for one in found]), number)
        elif config.pruned and not folds and point and point.validation_loss is not None:
            moment = int(point.epoch * moments)
            if moment > max(told):
                told.add(moment)
                _stop_if_behind(trial, point.validation_loss, moment)

    return report


def _stop_if_behind(trial: "Trial", loss: float, moment: int) -> None:
    trial.report(loss, moment)
    if trial.should_prune():
        raise Stopped


@task(name="fold", cache_policy=NO_CACHE)
def run_fold(material: Material, fold: int, name: str, context: RunContext) -> FoldRecord:
    """Train without a fold and score it, in a child run of its own; a finished fold is reused.

    Args:
        material: Tables, model and options.
        fold: Which table.
        name: Of the cross-validation; its folds are stored under it.
        context: Home and parent run.
    """
    folder = context.home / "folds" / name
    stored = folder / f"{fold}.json"
    with stage_run(context, f"fold {fold}") as mlflow:
        reused = stored.is_file()
        if not reused:
            _store(stored, _measured_fold(material, fold, folder / str(fold), mlflow))
        record = FoldRecord.model_validate_json(stored.read_text(encoding="utf-8"))
        mlflow.log_metrics({k: float(v) for k, v in record.model_dump().items()})
        mlflow.set_tag("temper.reused", str(reused).lower())
    logger.info("fold %d: loss %.4f", fold, record.loss)
    return record


def _measured_fold(material: Material, fold: int, folder: Path, mlflow: Any) -> FoldRecord:
    from tasks.search.measure import discard, measure

    def log(point: TrainingPoint) -> None:
        if point.validation_loss is not None:
            mlflow.log_metric("training.validation_loss", point.validation_loss, step=point.step)

    table = material.tables[fold]
    found = measure(table, material.base, material.training, folder, log, material.evaluation)
    discard(folder)
    splits = table["split"].to_pylist()
    return FoldRecord(
        fold=fold,
        loss=found.loss,
        validation_loss=found.training.best_validation_loss,
        train_rows=splits.count("train"),
        scored_rows=splits.count("test"),
        best_step=found.training.best_step,
        steps=found.training.steps,
        seconds=found.training.seconds,
    )


def _store(file: Path, record: FoldRecord) -> None:
    part = file.with_suffix(".part")
    try:
        part.write_text(record.model_dump_json(), encoding="utf-8")
        part.replace(file)
    except OSError as error:
        raise StorageError(f"Cannot write {file}: {error}. Free disk space, run again.") from error


def figures_of(found: Sequence["Measured"], base_text: float) -> dict[str, float]:
    """Return a trial's figures: means over the folds, and the spread of their losses."""
    losses = [one.loss for one in found]
    texts = [one.text for one in found if one.text is not None]
    figures = {
        "loss": _mean(losses),
        "trainable_parameters": float(found[0].training.trainable_parameters),
        "seconds": sum(one.training.seconds for one in found),
        "steps": _mean([one.training.steps for one in found]),
    }
    if texts:
        figures["retention"] = _mean(texts) - base_text
    if len(found) > 1:
        figures["loss_deviation"] = deviation(losses)
        figures |= {f"fold_{number}.loss": loss for number, loss in enumerate(losses)}
    return figures


def deviation(losses: Sequence[float]) -> float:
    """Return the sample standard deviation."""
    mean = _mean(losses)
    return float((sum((loss - mean) ** 2 for loss in losses) / (len(losses) - 1)) ** 0.5)


def _mean(numbers: Sequence[float]) -> float:
    return sum(numbers) / len(numbers)
