"""Training alone: the profile's dataset, then a tuned model, not judged."""

from collections.abc import Sequence

from prefect import flow

from data_contracts.results import ModelRef
from flows.anchors import require_apart_anchors
from flows.build_dataset import build_dataset
from flows.config import load_config
from flows.memory import require_fit
from flows.run import pipeline_run
from tasks.training.task import train


@flow(name="train")
def train_pipeline(
    profile: str = "demo", documents: str | None = None, settings: Sequence[str] = ()
) -> ModelRef:
    """Train on the dataset of a profile.

    Args:
        profile: Name of a profile, or path of a YAML file.
        documents: Replaces the profile's documents folder.
        settings: Overrides such as `training.epochs=2`.
    """
    config = load_config(profile, documents, settings)
    with pipeline_run(config, "train") as context:
        dataset = build_dataset(config, context)
        require_apart_anchors(config.training, config.evaluation)
        require_fit(config.training, dataset, context.home)
        return train(dataset.examples, dataset.base, config.training, context)
