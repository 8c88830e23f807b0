"""The Prefect task of the report: collect what the run found out, render, keep, log."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prefect import task
from prefect.artifacts import create_markdown_artifact

from data_contracts.dataset import DatasetRef, read_dropped, read_kept, read_manifest
from data_contracts.errors import StorageError
from data_contracts.results import (
    Comparison,
    LeakageCertificate,
    ModelRef,
    Verdict,
)
from tasks.modeling.tuned import read_training_result
from tasks.report.content import Command, Links, ReportContent
from tasks.report.render import render_report
from tasks.report.samples import dropped_samples, sample_rows
from tasks.tracking import RunContext, connect, flatten, stage_seconds


@task(name="write report")
def write_report(
    title: str,
    profile: str,
    stages: list[DatasetRef],
    certificate: LeakageCertificate,
    model: ModelRef,
    comparison: Comparison,
    verdict: Verdict,
    settings: Mapping[str, Any],
    context: RunContext,
) -> Path:
    """Write the run's report below the home folder, log it to the parent run, return its path.

    Raises:
        StorageError: The report cannot be written.
    """
    manifests = [read_manifest(Path(ref.folder)) for ref in stages]
    documents = read_kept(stages[0])
    paths = {row["document_id"]: row["path"] for row in documents.to_pylist()}
    content = ReportContent(
        title=title,
        created=datetime.now(UTC),
        profile=profile,
        base_model=model.base.name,
        base_fingerprint=model.base.fingerprint,
        tuned_fingerprint=model.fingerprint,
        method=model.method,
        manifests=manifests,
        certificate=certificate,
        training=read_training_result(model),
        comparison=comparison,
        verdict=verdict,
        links=_links(profile, stages[-1], model, context),
        dropped={ref.stage: dropped_samples(read_dropped(ref)) for ref in stages},
        rows=sample_rows(read_kept(stages[-1]), paths),
        seconds=stage_seconds(context),
        settings=flatten(settings),
        versions=manifests[-1].versions,
    )
    path = _store(render_report(content), context)
    create_markdown_artifact(_summary(verdict, path, context), key="verdict")
    return path


def _summary(verdict: Verdict, report: Path, context: RunContext) -> str:
    """Return what Prefect's page of the run shows."""
    legs = "\n".join(f"| {leg.name} | {leg.outcome} | {leg.reason} |" for leg in verdict.legs)
    return (
        f"## {verdict.outcome}\n\n| leg | outcome | why |\n| --- | --- | --- |\n{legs}\n\n"
        f"Report: `{report}`, also in MLflow run `{context.run_id}`."
    )


def _links(profile: str, examples: DatasetRef, model: ModelRef, context: RunContext) -> Links:
    return Links(
        tracking_uri=context.tracking_uri,
        run_id=context.run_id,
        dataset_folder=examples.folder,
        model_folder=str(model.folder),
        commands=[
            Command(purpose="Run it again", line=f"temper run {profile}"),
            Command(purpose="Look at the dataset", line=f"temper dataset show {profile}"),
            Command(purpose="See a row as the model sees it", line=f"temper inspect {profile}"),
            Command(purpose="Open the Prefect and MLflow pages", line="temper up"),
        ],
    )


def _store(html: str, context: RunContext) -> Path:
    folder = context.home / "reports"
    path = folder / f"{context.run_id}.html"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(html, encoding="utf-8")
    except OSError as error:
        raise StorageError(
            f"Cannot write the report {path}: {error}. Free disk space, then run again: "
            "all stages are kept."
        ) from error
    client = connect(context.tracking_uri).MlflowClient()
    client.log_text(context.run_id, html, "report.html")
    return path
