"""Evaluation alone: the profile's model, or the champion, judged against its base."""

from collections.abc import Sequence

from prefect import flow

from flows.build_dataset import build_dataset
from flows.config import load_config
from flows.fine_tune import JudgedModel, fine_tune, judge_tuned
from flows.run import pipeline_run
from tasks.promotion.task import champion_model


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


@flow(name="evaluate champion")
def evaluate_champion(
    profile: str = "demo", documents: str | None = None, settings: Sequence[str] = ()
) -> JudgedModel:
    """Judge the registered champion on today's rows; nothing is trained, no alias is moved.

    Args:
        profile: Name of a profile, or path of a YAML file; its `registry.model_name` says whose
            champion.
        documents: Replaces the profile's documents folder.
        settings: Overrides such as `gate.min_test_rows=30`.
    """
    config = load_config(profile, documents, settings)
    with pipeline_run(config, "evaluate champion") as context:
        champion = champion_model(config.registry.model_name, context)
        dataset = build_dataset(config, context)
        nothing_exported = config.model_copy(update={"exports": ()})
        return judge_tuned(champion, nothing_exported, dataset, context)
