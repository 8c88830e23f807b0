"""The Prefect task of the front: one point, trained and measured on validation rows."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from data_contracts.dataset import DatasetRef, read_kept
from data_contracts.errors import StorageError, TemperError, TooFewRows
from data_contracts.front import FrontPoint
from data_contracts.results import Comparison, Interval
from tasks.evaluation.config import EvaluationConfig
from tasks.evaluation.task import evaluate, read_sharpness
from tasks.front.choose import negated
from tasks.front.grid import point_name
from tasks.modeling.tuned import read_training_result
from tasks.tracking import RunContext, flatten, stage_run
from tasks.training.config import TrainingConfig
from tasks.training.task import train

logger = logging.getLogger(__name__)

VALIDATION, TEST = "validation", "test"


@dataclass(frozen=True)
class Measured:
    """What all points share.

    Attributes:
        base: The base model's predictions on validation rows and general sets.
        evaluation: How models are measured.
    """

    base: DatasetRef
    evaluation: EvaluationConfig


def front_evaluation(config: EvaluationConfig) -> EvaluationConfig:
    """Return how the points are measured: by likelihood alone, since nobody reads answers."""
    return config.model_copy(update={"generated_rows": 0, "noise_rows": 0, "shown_examples": 0})


@task(name="front point", cache_policy=NO_CACHE)
def run_point(
    number: int,
    values: Mapping[str, Any],
    training: TrainingConfig,
    examples: DatasetRef,
    measured: Measured,
    base: Any,
    context: RunContext,
) -> FrontPoint:
    """Train and measure a point, in a child run of its own; one that fails says why.

    A model or a measurement that exists already is taken as it is, so a front that was
    interrupted goes on.

    Args:
        number: Of the point.
        values: What it sets.
        training: The options with these values.
        examples: The rows.
        measured: The base's predictions.
        base: The model to start from, or why it cannot be trained so (a `TemperError`).
        context: Home and parent run.

    Raises:
        StorageError: The disk is full: no fault of the point.
    """
    point = FrontPoint(number=number, name=point_name(values), values=dict(values))
    logger.info("front, point %d: %s", number, point.name)
    with stage_run(context, f"point {number}") as mlflow:
        run_id = mlflow.active_run().info.run_id
        mlflow.log_params(flatten(values))
        mlflow.set_tags({"temper.point": number, "temper.name": point.name})
        point = point.model_copy(update={"run_id": run_id})
        inner = context.model_copy(update={"run_id": run_id})
        try:
            point = _attempt(point, training, examples, measured, base, inner)
        except StorageError:
            raise
        except TemperError as error:
            logger.warning("front, point %d failed: %s", number, error)
            point = point.model_copy(update={"reason": str(error)})
        mlflow.log_metrics(figures_of(point))
        mlflow.set_tag("temper.state", "failed" if point.reason else "complete")
    return point


def _attempt(
    point: FrontPoint,
    training: TrainingConfig,
    examples: DatasetRef,
    measured: Measured,
    base: Any,
    context: RunContext,
) -> FrontPoint:
    from tasks.training.train import reset_peak_memory

    if isinstance(base, TemperError):
        raise base
    reset_peak_memory()
    model = train(examples, base, training, context)
    scores = evaluate(model, examples, measured.evaluation, context, VALIDATION)
    base_scores = measured.base
    if model.base.held_in != "float32":  # both are measured in the same type
        base_scores = evaluate(model.base, examples, measured.evaluation, context, VALIDATION)
    comparison = compared(base_scores, scores, measured.evaluation)
    result = read_training_result(model)
    accuracy = comparison.find("general_skill", "accuracy")
    return point.model_copy(
        update={
            "learning": fall(comparison, VALIDATION),
            "forgetting": rise(comparison, "general_text"),
            "skill_loss": None if accuracy is None else negated(accuracy.delta),
            "sharpness": read_sharpness(scores),
            "seconds": result.seconds,
            "processor_seconds": result.processor_seconds,
            "peak_memory_bytes": result.peak_memory_bytes,
            "model": model.fingerprint,
            "predictions": scores.fingerprint,
        }
    )


def compared(base: DatasetRef, tuned: DatasetRef, config: EvaluationConfig) -> Comparison:
    """Compare two models' predictions, with paired intervals over documents."""
    from tasks.evaluation.compare import compare

    return compare(read_kept(base), read_kept(tuned), config)


def rise(comparison: Comparison, set_: str) -> Interval:
    """Return by how much the cross-entropy of a set rose.

    Raises:
        TooFewRows: The set has fewer than two independent groups of rows.
    """
    found = comparison.find(set_, "cross_entropy")
    if found is None:
        raise TooFewRows(
            f"The front needs an interval on the set {set_!r}, which has fewer than two "
            "independent groups of rows: raise splitting.validation or evaluation.general_texts."
        )
    return found.delta


def fall(comparison: Comparison, set_: str) -> Interval:
    """Return by how much the cross-entropy of a set fell."""
    return negated(rise(comparison, set_))


def figures_of(point: FrontPoint) -> dict[str, float]:
    """Return what a point's run logs."""
    figures = {
        "seconds": point.seconds,
        "processor_seconds": point.processor_seconds,
        "peak_memory_bytes": float(point.peak_memory_bytes),
    }
    for name in ("learning", "forgetting", "skill_loss"):
        interval: Interval | None = getattr(point, name)
        if interval is not None:
            figures |= {name: interval.estimate}
            figures |= {f"{name}_low": interval.low, f"{name}_high": interval.high}
    if point.sharpness is not None:
        figures |= {"sharpness": point.sharpness.mean_rise}
    return figures
