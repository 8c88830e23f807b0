"""The best candidates of a recommendation, trained for a few minutes each and compared."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from prefect import flow

from data_contracts.base import Result
from data_contracts.results import BaseModelRef, TrainingPoint
from flows.build_dataset import build_dataset
from flows.config import PipelineConfig, load_config, override
from flows.memory import require_fit
from flows.run import pipeline_run
from flows.sweep import quiet_steps, read_examples, trial_tables
from tasks.search.space import METHOD
from tasks.tracking import RunContext, stage_run
from tasks.training.base_precision import held_base
from tasks.training.config import TrainingConfig

if TYPE_CHECKING:
    import pyarrow as pa

# Evaluations of a probe: enough to see the lowest loss, few enough to cost little of its time.
EVALUATIONS = 4


class MethodProbe(Result):
    """What a method reached in its time; the loss is on validation rows, nats per token."""

    method: str
    loss: float
    steps: int
    seconds: float


@flow(name="probe methods")
def probe_pipeline(
    methods: Sequence[str],
    minutes: float = 3.0,
    profile: str = "demo",
    settings: Sequence[str] = (),
) -> list[MethodProbe]:
    """Train by each method for as long, on the profile's rows; lowest validation loss first.

    Ten steps tell how many fit into the time, so that each learning rate has its whole schedule.

    Args:
        methods: Names of training methods.
        minutes: For each of them.
        profile: Name of a profile, or path of a YAML file.
        settings: Overrides such as `training.batch_size=4`.
    """
    config = load_config(profile, settings=settings)
    with pipeline_run(config, "probe") as context, quiet_steps():
        dataset = build_dataset(config, context)
        (table,) = trial_tables(read_examples(dataset), 0)
        found = []
        for name in methods:
            training = override(config, {METHOD: name}).training
            require_fit(training, dataset, context.home)
            seconds = _step_seconds(training, dataset.base, table, context)
            rows = table["split"].to_pylist().count("train")
            limited = limited_to(training, rows, max(1, int(60 * minutes / seconds)))
            found.append(_probe(limited, config, dataset.base, table, context))
    return sorted(found, key=lambda probe: probe.loss)


def limited_to(training: TrainingConfig, rows: int, steps: int) -> TrainingConfig:
    """Return options of a run of so many steps, evaluated a few times on its way.

    Args:
        training: The options of a whole run.
        rows: Training rows.
        steps: At most; a whole run that is shorter stays as it is.
    """
    in_epoch = math.ceil(rows / (training.batch_size * training.gradient_accumulation))
    if steps >= math.ceil(in_epoch * training.epochs):
        return training
    often = math.ceil(EVALUATIONS * in_epoch / steps)
    told = {"max_steps": steps, "evaluations_per_epoch": min(often, in_epoch)}
    return training.model_copy(update=told)


def _step_seconds(
    training: TrainingConfig, base: BaseModelRef, table: "pa.Table", context: RunContext
) -> float:
    """Return what a step takes on rows of the mean length."""
    import torch

    from tasks.estimation.fit import training_shape
    from tasks.estimation.probe import probe_steps
    from tasks.modeling.base_model import load_tokenizer
    from tasks.search.measure import discard
    from tasks.training.train import encode_split

    rows = encode_split(load_tokenizer(base), table, "train", training)
    length = math.ceil(sum(len(row.input_ids) for row in rows) / len(rows))
    supervised = math.ceil(sum(len(row.supervised) for row in rows) / len(rows))
    shape = training_shape(training, length, supervised, torch.cuda.is_available())
    folder = context.home / "probes" / context.run_id
    found = probe_steps(held_base(base, training), training.method, shape, folder)
    discard(folder)
    return found.seconds


def _probe(
    training: TrainingConfig,
    config: PipelineConfig,
    base: BaseModelRef,
    table: "pa.Table",
    context: RunContext,
) -> MethodProbe:
    from tasks.search.measure import discard, measure

    name = training.method.method
    folder = context.home / "probes" / context.run_id
    with stage_run(context, f"probe {name}") as mlflow:

        def log(point: TrainingPoint) -> None:
            if point.validation_loss is not None:
                mlflow.log_metric("validation_loss", point.validation_loss, step=point.step)

        found = measure(table, base, training, folder, log, config.evaluation)
        mlflow.log_params({METHOD: name, "training.max_steps": training.max_steps})
    discard(folder)
    result = found.training
    return MethodProbe(method=name, loss=found.loss, steps=result.steps, seconds=result.seconds)
