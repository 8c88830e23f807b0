"""Logs an export to MLflow, in a run of its own, and marks the registered versions."""

from pathlib import Path

from data_contracts.results import ExportRef
from tasks.exporting.export import EXPORT
from tasks.promotion.registry import MODEL_TAG
from tasks.tracking import connect, finish_pipeline_run, start_pipeline_run

EXPERIMENT = "temper-exports"


def record_export(export: ExportRef, home: Path, tracking_uri: str) -> str:
    """Log what was exported and how it compared; return the run's identifier.

    Every registered version of the model gets a tag `temper.export.FORM.PRECISION`, which is
    `passed` or `failed`.
    """
    parity = export.parity
    outcome = "passed" if parity.passed else "failed"
    what = f"{export.form}.{export.precision}"
    tags = {"temper.stage": "export", MODEL_TAG: export.model, f"temper.export.{what}": outcome}
    context = start_pipeline_run(home, tracking_uri, EXPERIMENT, f"export {what}", tags)
    client = connect(tracking_uri).MlflowClient()
    figures = ("prompts", "same_prompts", "equal_answers", "tokens", "highest_difference")
    for name in (*figures, "tolerance"):
        client.log_metric(context.run_id, name, float(getattr(parity, name)))
    client.log_artifact(context.run_id, str(export.folder / EXPORT))
    finish_pipeline_run(context, parity.passed)
    for version in client.search_model_versions(f"tag.`{MODEL_TAG}` = '{export.model}'"):
        client.set_model_version_tag(
            version.name, version.version, f"temper.export.{what}", outcome
        )
    return context.run_id
