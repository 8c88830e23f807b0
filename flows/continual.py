"""Continual use: train on one document set after the other, and see what is kept."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from prefect import flow

from data_contracts.base import Result
from data_contracts.dataset import DatasetRef
from data_contracts.errors import ConfigError
from data_contracts.front import ContinualArm, ContinualResult
from data_contracts.results import BaseModelRef
from flows.build_dataset import BuiltDataset, build_dataset
from flows.config import PipelineConfig, load_config, override
from flows.memory import require_fit
from flows.run import pipeline_run
from flows.sweep import quiet_steps
from tasks.continual.arm import Walk, arm_of
from tasks.continual.task import collect_earlier, learn_step, predictions_of
from tasks.evaluation.config import EvaluationConfig
from tasks.front.task import front_evaluation
from tasks.modeling.tuned import read_training_result
from tasks.report.task import write_continual
from tasks.search.space import METHOD, SECTIONS, with_method
from tasks.tracking import RunContext, stage_run
from tasks.training.base_precision import held_base
from tasks.training.config import TrainingConfig
from tasks.training.method import METHODS

# What a way may change besides training and augmentation.
EARLIER = "continual.replay_earlier"
SHARE = "augmentation.replay.share"


class ContinualRun(Result):
    """What a sequence ends with."""

    result: ContinualResult
    report: Path
    mlflow_run_id: str


@flow(name="continual")
def continual_pipeline(profile: str = "demo", settings: Sequence[str] = ()) -> ContinualRun:
    """Train on the document sets of the profile's section `continual`, each way in turn.

    Args:
        profile: Name of a profile, or path of a YAML file.
        settings: Overrides such as `training.epochs=1`.
    """
    config = load_config(profile, settings=settings)
    ways = _ways(config)
    with pipeline_run(config, "continual") as context, quiet_steps():
        evaluation = front_evaluation(config.evaluation)
        walks = [_walk(name, steps, evaluation, context) for name, steps in ways.items()]
        arms = [arm_of(walk, walks[0], evaluation) for walk in walks]
        for arm in arms:
            _log(arm, evaluation, context)
        rows = [dataset.test_rows for dataset in _datasets(next(iter(ways.values())), context)]
        result = ContinualResult(sets=list(config.continual.sets), rows=rows, arms=arms)
        report = write_continual(result, config.name, context)
    return ContinualRun(result=result, report=report, mlflow_run_id=context.run_id)


def _ways(config: PipelineConfig) -> dict[str, list[PipelineConfig]]:
    """Return each way's configurations, one a set; what is wrong in them is said at once."""
    if not config.continual.sets:
        raise ConfigError(
            "The profile names no sequence: set continual.sets, e.g. "
            "{first: docs/first, second: docs/second}."
        )
    found = {}
    for name, values in config.continual.ways.items():
        foreign = [p for p in values if p.split(".")[0] not in SECTIONS and p != EARLIER]
        if foreign:
            raise ConfigError(
                f"continual.ways.{name} sets {foreign[0]}, and ways are compared on the same rows: "
                f"only paths below {' and '.join(SECTIONS)} can differ."
            )
        found[name] = _steps(config, values)
        last = found[name][-1]
        if last.continual.replay_earlier and last.augmentation.replay.share == 0:
            raise ConfigError(
                f"continual.ways.{name} replays earlier sets, and no share of replay is set: say "
                "how much of the training rows, e.g. augmentation.replay.share: 0.2."
            )
    return found


def _steps(config: PipelineConfig, values: Mapping[str, Any]) -> list[PipelineConfig]:
    told = with_method(values, values.get(METHOD, config.training.method.method))
    steps = [
        override(config, {"documents": place, "name": f"{config.name}-{name}", **told})
        for name, place in config.continual.sets.items()
    ]
    method = steps[0].training.method.method
    if not METHODS.get(method).merges:
        raise ConfigError(
            f"Method {method} cannot be merged into its base, so that no next step can start from "
            "it. Choose one that merges: `temper methods` says which do."
        )
    return steps


def _datasets(steps: Sequence[PipelineConfig], context: RunContext) -> Iterator[BuiltDataset]:
    """Build the dataset of each step, with rows of the sets before where they are replayed."""
    before: list[DatasetRef] = []
    for step in steps:
        earlier = None
        if step.continual.replay_earlier and before:
            earlier = collect_earlier(before, context)
        elif step.continual.replay_earlier:
            # Without a set before, replay would have the base model write rows instead.
            step = override(step, {SHARE: 0})
        dataset = build_dataset(step, context, earlier)
        before.append(dataset.examples)
        yield dataset


def _walk(
    name: str,
    steps: Sequence[PipelineConfig],
    evaluation: EvaluationConfig,
    context: RunContext,
) -> Walk:
    datasets = list(_datasets(steps, context))
    examples = [dataset.examples for dataset in datasets]
    trainings = [_in_one_type(step.training, datasets[0].base) for step in steps]
    base, models = held_base(datasets[0].base, trainings[0]), []
    predictions = [predictions_of(base, examples, evaluation, context)]
    for number, (training, dataset) in enumerate(zip(trainings, datasets, strict=True), start=1):
        require_fit(training, dataset.model_copy(update={"base": base}), context.home)
        label = f"{name}, step {number}"
        model, base = learn_step(label, base, dataset.examples, training, context)
        models.append(model)
        predictions.append(predictions_of(model, examples, evaluation, context))
    seconds = [read_training_result(model).seconds for model in models]
    return Walk(name, predictions, [model.fingerprint for model in models], seconds)


def _in_one_type(training: TrainingConfig, first: BaseModelRef) -> TrainingConfig:
    """Return a step's options, with which no base is held in 16 bits unless that was asked for.

    From the second step on the base is a merged model in single precision, and the losses of
    all steps are compared with each other.
    """
    if training.base_precision != "auto" or held_base(first, training).held_in == "float32":
        return training
    return training.model_copy(update={"base_precision": "float32"})


def _log(arm: ContinualArm, evaluation: EvaluationConfig, context: RunContext) -> None:
    """Log a way's figures to a child run, a step each."""
    with stage_run(context, arm.name) as mlflow:
        mlflow.log_params({"general_texts": evaluation.general_texts})
        mlflow.log_metric("backward_transfer", arm.transfer.backward)
        for step, (losses, text) in enumerate(zip(arm.losses, arm.text, strict=True)):
            figures = {f"loss.{number}": loss for number, loss in enumerate(losses, start=1)}
            mlflow.log_metrics({**figures, "general_text": text}, step=step)
        for step, forgetting in enumerate(arm.transfer.forgetting, start=2):
            mlflow.log_metric("forgetting", forgetting, step=step)
