"""Evaluation alone: the profile's model judged against its base."""

from collections.abc import Sequence

from prefect import flow

from flows.build_dataset import build_dataset
from flows.config import load_config
from flows.fine_tune import JudgedModel, fine_tune
from flows.run import pipeline_run


@flow(name="evaluate")
def evaluate_pipeline(
    profile: str = "demo", documents: str | None = None, settings: Sequence[str] = ()
) -> JudgedModel:
    """Judge the model of a profile against its base; stages that exist are reused.

    Args:
        profile: Name of a profile, or path of a YAML file.
        documents: Replaces the profile's documents folder.
        settings: Overrides such as `gate.min_test_rows=30`.
    """
    config = load_config(profile, documents, settings)
    with pipeline_run(config, "evaluate") as context:
        dataset = build_dataset(config, context)
        return fine_tune(config, dataset, context)
