"""The Prefect task of the report: collect what the run found out, render, keep, log."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prefect import task
from prefect.artifacts import (
    create_image_artifact,
    create_link_artifact,
    create_markdown_artifact,
    create_table_artifact,
)

from data_contracts.base import digest
from data_contracts.dataset import DatasetRef, read_dropped, read_kept, read_manifest
from data_contracts.errors import StorageError
from data_contracts.front import ContinualResult, Front
from data_contracts.results import (
    BaseModelRef,
    Comparison,
    LeakageCertificate,
    Memorisation,
    ModelRef,
    Robustness,
    TrainingResult,
    Verdict,
)
from data_contracts.search import FoldRecord, SweepOutcome
from tasks.modeling.tokens import token_counter
from tasks.modeling.tuned import read_training_result
from tasks.report.card import card_html, card_markdown
from tasks.report.card_content import describe
from tasks.report.content import Command, Links, ReportContent
from tasks.report.front import continual_html, front_html
from tasks.report.model_card import ModelCard, write_cards
from tasks.report.render import render_report
from tasks.report.run_page import (
    continual_rows,
    front_rows,
    funnel,
    headline,
    loss_picture,
    run_address,
    trial_rows,
    verdict_text,
)
from tasks.report.samples import dropped_samples, sample_rows
from tasks.settings import Settings
from tasks.tracking import RunContext, connect, flatten, stage_seconds

FRONT = "front.json"
# Tag of a front's run: which rows and base its points were trained on.
FRONT_DATA = "temper.front_data"


@task(name="write report")
def write_report(
    title: str,
    profile: str,
    typed: str,
    stages: list[DatasetRef],
    certificate: LeakageCertificate,
    model: ModelRef,
    comparison: Comparison,
    verdict: Verdict,
    settings: Mapping[str, Any],
    context: RunContext,
    memorisation: Memorisation | None = None,
    robustness: Robustness | None = None,
) -> Path:
    """Write the run's report below the home folder, log it to the parent run, return its path.

    Args:
        title: Name of the run.
        profile: Its profile.
        typed: The profile and what replaced parts of it, as they are typed after a command.
        stages: The datasets, in the order of the stages.
        certificate: What the audit found.
        model: The tuned model.
        comparison: Base against tuned.
        verdict: What the gate says.
        settings: Everything the configuration says.
        context: The run.
        memorisation: What is given away of training rows, where it was measured.
        robustness: Answers to changed questions, where they were measured.

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
        base_model=model.base.pinned_name,
        base_fingerprint=model.base.fingerprint,
        tuned_fingerprint=model.fingerprint,
        method=model.method,
        manifests=manifests,
        certificate=certificate,
        training=read_training_result(model),
        comparison=comparison,
        verdict=verdict,
        memorisation=memorisation,
        robustness=robustness,
        front=latest_front(stages[-1], model.base, context),
        links=_links(typed, stages[-1], model, context),
        dropped={ref.stage: dropped_samples(read_dropped(ref)) for ref in stages},
        rows=sample_rows(read_kept(stages[-1]), paths),
        seconds=stage_seconds(context),
        settings=flatten(settings),
        versions=manifests[-1].versions,
    )
    path = _store(render_report(content), context)
    _show_on_the_runs_page(verdict, content.training, path, context)
    return path


@task(name="write data card")
def write_data_card(
    title: str,
    objective: str,
    stages: list[DatasetRef],
    base: BaseModelRef,
    context: RunContext,
) -> None:
    """Log the dataset's card, as HTML and as Markdown, to the parent run."""
    card = describe(title, objective, stages, token_counter(base.folder))
    client = connect(context.tracking_uri).MlflowClient()
    client.log_text(context.run_id, card_html(card), "data_card.html")
    client.log_text(context.run_id, card_markdown(card), "data_card.md")


@task(name="show dataset")
def show_dataset(stages: list[DatasetRef], context: RunContext) -> None:
    """Leave the funnel of the stages and the way to MLflow with the run in Prefect."""
    create_table_artifact(
        funnel([read_manifest(Path(ref.folder)) for ref in stages]),
        key="funnel",
        description="Rows of every stage.",
    )
    _link(context, "", "The run in MLflow: stages, parameters, data card", "mlflow-run")


@task(name="write model card")
def write_model_card(
    title: str,
    stages: list[DatasetRef],
    certificate: LeakageCertificate,
    model: ModelRef,
    comparison: Comparison,
    verdict: Verdict,
    context: RunContext,
) -> Path:
    """Write the model's card, with the dataset's, beside the weights; log it; return its path.

    Before the model is registered: what is registered then carries its card.

    Raises:
        StorageError: It cannot be written.
    """
    mlflow = connect(context.tracking_uri)
    card = ModelCard(
        title=title,
        created=datetime.now(UTC),
        model=model,
        datasets=stages,
        certificate=certificate,
        comparison=comparison,
        verdict=verdict,
        training=read_training_result(model),
        data_card=mlflow.artifacts.load_text(f"runs:/{context.run_id}/data_card.md"),
    )
    path = write_cards(card)
    mlflow.MlflowClient().log_text(context.run_id, path.read_text("utf-8"), "model_card.md")
    return path


def _show_on_the_runs_page(
    verdict: Verdict, training: TrainingResult, report: Path, context: RunContext
) -> None:
    """Leave verdict, loss curves and the way to the report with the run in Prefect."""
    places = f"\nReport: `{report}`, also in MLflow run `{context.run_id}`."
    create_markdown_artifact(verdict_text(verdict) + places, key="verdict")
    picture = loss_picture(training)
    if picture is not None:
        create_image_artifact(picture, key="loss", description=headline(training))
    _link(context, "/artifacts/report.html", "The report", "report")


def _link(context: RunContext, page: str, text: str, key: str) -> None:
    """Leave a link to a page of the run in MLflow, where people can open MLflow."""
    experiment = connect(context.tracking_uri).MlflowClient().get_run(context.run_id)
    shown_at = Settings().mlflow_page or context.tracking_uri
    address = run_address(shown_at, experiment.info.experiment_id, context.run_id)
    if address is not None:
        create_link_artifact(address + page, link_text=text, key=key)


@task(name="write front")
def write_front(
    front: Front, title: str, examples: DatasetRef, base: BaseModelRef, context: RunContext
) -> Path:
    """Write the front's page below the home folder, log it and its figures, return its path.

    Reports of later runs on the same rows, from the same base, find it by its tag.

    Raises:
        StorageError: The page cannot be written.
    """
    keep_front(front, examples, base, context)
    path = _store(front_html(front, title), context, "front")
    _show_table(front_rows(front), "front", f"{front.rule} {front.because}", context)
    _link(context, "/artifacts/front.html", "Learning against forgetting", "report")
    return path


def keep_front(front: Front, examples: DatasetRef, base: BaseModelRef, context: RunContext) -> None:
    """Log a front where `latest_front` finds it."""
    client = connect(context.tracking_uri).MlflowClient()
    client.log_dict(context.run_id, front.model_dump(mode="json"), FRONT)
    client.set_tag(context.run_id, FRONT_DATA, _data(examples, base))


@task(name="write continual")
def write_continual(found: ContinualResult, title: str, context: RunContext) -> Path:
    """Write the page of a sequence of document sets, log it and its figures, return its path.

    Raises:
        StorageError: The page cannot be written.
    """
    client = connect(context.tracking_uri).MlflowClient()
    client.log_dict(context.run_id, found.model_dump(mode="json"), "continual.json")
    path = _store(continual_html(found, title), context, "continual")
    told = "Rises of losses in nats a token, from the step that learned a set to the end."
    _show_table(continual_rows(found), "continual", told, context)
    _link(context, "/artifacts/continual.html", "All losses, step by step", "report")
    return path


@task(name="show search")
def show_search(outcome: SweepOutcome, context: RunContext) -> None:
    """Leave the trials and the way to MLflow with the run in Prefect."""
    told = f"Search {outcome.study} for {', '.join(outcome.objectives)}; nats a token."
    _show_table(trial_rows(outcome), "trials", told, context)


@task(name="show folds")
def show_folds(folds: Sequence[FoldRecord], told: str, context: RunContext) -> None:
    """Leave the folds of a cross-validation and the way to MLflow with the run in Prefect."""
    _show_table([fold.model_dump() for fold in folds], "folds", told, context)


def _show_table(rows: list[dict[str, Any]], key: str, told: str, context: RunContext) -> None:
    create_table_artifact(rows, key=key, description=told)
    _link(context, "", "The run in MLflow: parameters, figures, child runs", "mlflow-run")


def latest_front(examples: DatasetRef, base: BaseModelRef, context: RunContext) -> Front | None:
    """Return the newest front of the same rows and base; None if none was made."""
    mlflow = connect(context.tracking_uri)
    client = mlflow.MlflowClient()
    experiment = client.get_run(context.run_id).info.experiment_id
    tagged = f"tags.`{FRONT_DATA}` = '{_data(examples, base)}'"
    found = client.search_runs([experiment], tagged, order_by=["start_time DESC"], max_results=1)
    if not found:
        return None
    told = mlflow.artifacts.load_dict(f"runs:/{found[0].info.run_id}/{FRONT}")
    return Front.model_validate(told)


def _data(examples: DatasetRef, base: BaseModelRef) -> str:
    return digest({"examples": examples.content_sha256, "base": base.fingerprint}, length=32)


def _links(typed: str, examples: DatasetRef, model: ModelRef, context: RunContext) -> Links:
    return Links(
        tracking_uri=context.tracking_uri,
        run_id=context.run_id,
        dataset_folder=examples.folder,
        model_folder=str(model.folder),
        commands=[
            Command(purpose="Run it again", line=f"temper run {typed}"),
            Command(purpose="Look at the dataset", line=f"temper dataset show {typed}"),
            Command(purpose="See a row as the model sees it", line=f"temper inspect {typed}"),
            Command(purpose="Open the Prefect and MLflow pages", line="temper up"),
        ],
    )


def _store(html: str, context: RunContext, name: str = "report") -> Path:
    folder = context.home / "reports"
    path = folder / (
        f"{context.run_id}.html" if name == "report" else f"{context.run_id}.{name}.html"
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(html, encoding="utf-8")
    except OSError as error:
        raise StorageError(
            f"Cannot write the report {path}: {error}. Free disk space, then run again: "
            "all stages are kept."
        ) from error
    client = connect(context.tracking_uri).MlflowClient()
    client.log_text(context.run_id, html, f"{name}.html")
    return path
