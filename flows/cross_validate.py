"""Group k-fold cross-validation: how much the loss of a profile depends on the split."""

from collections.abc import Sequence

from prefect import flow

from data_contracts.base import Result, digest
from data_contracts.errors import ConfigError
from flows.anchors import require_apart_anchors
from flows.build_dataset import build_dataset
from flows.config import load_config
from flows.memory import require_fit
from flows.run import pipeline_run
from flows.sweep import quiet_steps, trial_tables
from tasks.search.task import FoldRecord, Material, deviation, run_fold
from tasks.training.task import model_fingerprint

FEWEST_FOLDS = 3


class CrossValidation(Result):
    """Losses in nats per supervised token."""

    folds: list[FoldRecord]
    mean: float
    deviation: float  # sample standard deviation over the folds
    mlflow_run_id: str


@flow(name="cross-validate")
def cross_validate_pipeline(
    profile: str = "demo",
    folds: int = 5,
    documents: str | None = None,
    settings: Sequence[str] = (),
) -> CrossValidation:
    """Train without each fold in turn and score it; the test rows take no part.

    One fold is scored, the next one says when to stop, the others are trained on.

    Args:
        profile: Name of a profile, or path of a YAML file.
        folds: How many folds the groups of related rows form, 3 or more.
        documents: Replaces the profile's documents folder.
        settings: Overrides such as `training.epochs=2`.

    Raises:
        ConfigError: There are fewer than three folds.
        TooFewRows: There are fewer groups than folds.
    """
    if folds < FEWEST_FOLDS:
        raise ConfigError(
            f"folds is {folds}: at least {FEWEST_FOLDS} are needed, one to score, one to stop by "
            "and one to train on."
        )
    config = load_config(profile, documents, settings)
    with pipeline_run(config, "cross-validation") as context:
        dataset = build_dataset(config, context)
        require_apart_anchors(config.training, config.evaluation)
        require_fit(config.training, dataset, context.home)
        material = Material(
            tables=trial_tables(dataset, folds),
            base=dataset.base,
            training=config.training,
            evaluation=config.evaluation,
        )
        model = model_fingerprint(dataset.examples, dataset.base, config.training)
        name = digest([model, folds], length=16)
        with quiet_steps():
            found = [run_fold(material, fold, name, context) for fold in range(folds)]
    losses = [record.loss for record in found]
    return CrossValidation(
        folds=found,
        mean=sum(losses) / folds,
        deviation=deviation(losses),
        mlflow_run_id=context.run_id,
    )
