"""The main job: documents in, a registered and judged model out."""

from collections.abc import Sequence
from pathlib import Path

from prefect import flow

from data_contracts.base import Result
from data_contracts.results import ModelVersionRef, Verdict
from flows.build_dataset import build_dataset
from flows.config import as_typed, load_config
from flows.fine_tune import fine_tune, require_parity
from flows.memory import require_any_fit
from flows.run import pipeline_run
from tasks.promotion.task import register_model
from tasks.report.task import show_dataset, write_model_card, write_report


class PipelineResult(Result):
    """What a run of the pipeline ends with."""

    verdict: Verdict
    model_version: ModelVersionRef
    report: Path
    dataset_folder: Path
    dataset_content: str
    model_folder: Path
    mlflow_run_id: str
    tracking_uri: str


@flow(name="pipeline")
def fine_tuning_pipeline(
    profile: str = "demo", documents: str | None = None, settings: Sequence[str] = ()
) -> PipelineResult:
    """Build a dataset, fine-tune on it, judge the model, register it, write the report.

    Args:
        profile: Name of a profile, or path of a YAML file.
        documents: Replaces the profile's documents folder.
        settings: Overrides such as `training.epochs=2`.

    Raises:
        TrainingError: Training will not fit into memory: said before rows are made where no row
            would, else before the model is loaded.
        ExportError: An export that the profile asks for answers otherwise than the model.
    """
    config = load_config(profile, documents, settings)
    with pipeline_run(config, "pipeline") as context:
        require_any_fit(config.training, config.base_model, context.home)
        dataset = build_dataset(config, context)
        show_dataset(dataset.stages, context)
        judged = fine_tune(config, dataset, context)
        write_model_card(
            config.name,
            dataset.stages,
            dataset.certificate,
            judged.model,
            judged.comparison,
            judged.verdict,
            context,
        )
        report = write_report(
            config.name,
            profile,
            as_typed(profile, documents, settings),
            dataset.stages,
            dataset.certificate,
            judged.model,
            judged.comparison,
            judged.verdict,
            config.model_dump(mode="json"),
            context,
            judged.memorisation,
            judged.robustness,
        )
        require_parity(judged.exports)  # after the report, which says what is wrong
        version = register_model(
            judged.model,
            dataset.stages,
            judged.scores,
            judged.comparison,
            judged.verdict,
            config.model_dump(mode="json"),
            config.registry,
            context,
        )
    return PipelineResult(
        verdict=judged.verdict,
        model_version=version,
        report=report,
        dataset_folder=Path(dataset.examples.folder),
        dataset_content=dataset.examples.content_sha256,
        model_folder=judged.model.folder,
        mlflow_run_id=context.run_id,
        tracking_uri=context.tracking_uri,
    )
