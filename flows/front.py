"""The front: many ways to train on one dataset, learning against forgetting."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from prefect import flow

from data_contracts.base import Result
from data_contracts.errors import StorageError, TemperError, TrainingError
from data_contracts.front import Front
from flows.build_dataset import BuiltDataset, build_dataset
from flows.config import PipelineConfig, load_config, override, profile_of
from flows.memory import require_fit
from flows.run import pipeline_run
from flows.sweep import quiet_steps
from tasks.evaluation.config import SharpnessConfig
from tasks.evaluation.task import evaluate, read_sharpness
from tasks.front.choose import front_of
from tasks.front.grid import grid_points
from tasks.front.task import TEST, VALIDATION, Measured, compared, fall, front_evaluation, run_point
from tasks.modeling.tuned import find_model
from tasks.report.task import write_front
from tasks.tracking import RunContext


class FrontResult(Result):
    """What a front ends with; the recommended point also as a profile in YAML."""

    front: Front
    profile: str | None
    report: Path
    mlflow_run_id: str


@flow(name="front")
def front_pipeline(
    profile: str = "demo", documents: str | None = None, settings: Sequence[str] = ()
) -> FrontResult:
    """Train every way that the profile's section `front` names; the same call goes on.

    Points are compared, and one is chosen, on validation rows. The chosen one alone is then
    measured on test rows, once.

    Args:
        profile: Name of a profile, or path of a YAML file.
        documents: Replaces the profile's documents folder.
        settings: Overrides such as `front.learning_rates=[1e-5, 1e-4]`.
    """
    config = load_config(profile, documents, settings)
    points = grid_points(config.front, config.training.method.method)
    ways = [override(config, values) for values in points]  # a wrong one is said at once
    with pipeline_run(config, "front") as context, quiet_steps():
        dataset = build_dataset(config, context)
        front = _front(config, points, ways, dataset, context)
        report = write_front(front, config.name, dataset.examples, dataset.base, context)
    best = front.recommended
    chosen = None if best is None else profile_of(ways[best])
    return FrontResult(front=front, profile=chosen, report=report, mlflow_run_id=context.run_id)


def _front(
    config: PipelineConfig,
    points: Sequence[Mapping[str, Any]],
    ways: Sequence[PipelineConfig],
    dataset: BuiltDataset,
    context: RunContext,
) -> Front:
    evaluation = front_evaluation(config.evaluation)
    base = evaluate(dataset.base, dataset.examples, evaluation, context, VALIDATION)
    measured = Measured(base, evaluation)
    found = []
    for number, (values, way) in enumerate(zip(points, ways, strict=True)):
        same = way.augmentation == config.augmentation
        rows = dataset if same else build_dataset(way, context)
        start = _base(way, rows, context)
        args = (number, values, way.training, rows.examples, measured, start, context)
        found.append(run_point(*args))
    front = front_of(found, config.gate, read_sharpness(base))
    if not front.measured:
        reasons = sorted({point.reason for point in found if point.reason})
        raise TrainingError(f"None of {len(found)} points was finished: {' / '.join(reasons)}")
    return _with_test(front, measured, dataset, context)


def _base(way: PipelineConfig, dataset: BuiltDataset, context: RunContext) -> Any:
    """Return the base, or why it cannot be trained this way on this machine."""
    try:
        require_fit(way.training, dataset, context.home)
    except StorageError:
        raise
    except TemperError as error:
        return error
    return dataset.base


def _with_test(
    front: Front, measured: Measured, dataset: BuiltDataset, context: RunContext
) -> Front:
    """Measure the recommended point, and nothing else, on the test rows."""
    if front.recommended is None:
        return front
    fingerprint = front.point(front.recommended).model
    model = find_model(context.home, str(fingerprint))
    if model is None:
        raise TrainingError(f"The model {fingerprint} is gone. Run the front again.")
    evaluation = measured.evaluation.model_copy(
        update={"general_texts": 0, "general_items_per_skill": 1, "sharpness": SharpnessConfig()}
    )
    base = evaluate(model.base, dataset.examples, evaluation, context, TEST)
    tuned = evaluate(model, dataset.examples, evaluation, context, TEST)
    learning = fall(compared(base, tuned, evaluation), TEST)
    return front.model_copy(update={"test_learning": learning})
