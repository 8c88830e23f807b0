"""The Prefect tasks of continual use: what was learned before, and one step from it."""

from collections.abc import Sequence

from prefect import task
from prefect.cache_policies import NO_CACHE

from data_contracts.base import Config
from data_contracts.dataset import DatasetRef, read_kept
from data_contracts.results import BaseModelRef, ModelRef
from data_contracts.schemas import EXAMPLE
from tasks.continual.arm import SPLIT
from tasks.continual.base import next_base
from tasks.continual.earlier import VERSION, earlier_rows
from tasks.evaluation.config import EvaluationConfig
from tasks.evaluation.task import evaluate
from tasks.stage import Stage, run_stage
from tasks.tracking import RunContext, stage_run
from tasks.training.config import TrainingConfig
from tasks.training.task import train

EARLIER = Stage(name="earlier", version=VERSION, schema=EXAMPLE, suite="augmentation")


@task(name="earlier rows")
def collect_earlier(sets: Sequence[DatasetRef], context: RunContext) -> DatasetRef:
    """Collect the training rows of the sets that come before a step, for its replay."""
    parents = {f"set {number}": ref.fingerprint for number, ref in enumerate(sets, start=1)}
    return run_stage(
        EARLIER, context, Config(), parents, lambda: earlier_rows([read_kept(ref) for ref in sets])
    )


@task(name="continual step", cache_policy=NO_CACHE)
def learn_step(
    name: str,
    base: BaseModelRef,
    examples: DatasetRef,
    training: TrainingConfig,
    context: RunContext,
) -> tuple[ModelRef, BaseModelRef]:
    """Train on one set, in a child run of its own; return the model, and it as a base.

    A model that exists already is taken as it is, so a sequence that was interrupted goes on.

    Args:
        name: Of the step's run.
        base: The last step's model.
        examples: The set's rows.
        training: The options.
        context: Home and parent run.
    """
    with stage_run(context, name) as mlflow:
        inner = context.model_copy(update={"run_id": mlflow.active_run().info.run_id})
        model = train(examples, base, training, inner)
        mlflow.set_tag("temper.model", model.fingerprint)
    return model, next_base(model, context.home)


def predictions_of(
    model: BaseModelRef | ModelRef,
    sets: Sequence[DatasetRef],
    config: EvaluationConfig,
    context: RunContext,
) -> list[DatasetRef]:
    """Return a model's predictions on the test rows of every set, and on general text."""
    return [evaluate(model, rows, config, context, SPLIT) for rows in sets]
