"""Runs a stage: reuse what exists, else compute, check, store, log.

All stages are alike here. A stage's pure function knows nothing of folders, MLflow or
Great Expectations; this module knows nothing of what a stage does.
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from data_contracts.base import Config, file_sha256
from data_contracts.dataset import (
    DatasetRef,
    Manifest,
    StageResult,
    commit,
    content_sha256,
    count_reasons,
    dataset_fingerprint,
    find_dataset,
    read_manifest,
    stage_files,
)
from data_contracts.errors import ContractViolation, EndpointError
from data_contracts.schemas import SCHEMA_VERSION, dropped_schema
from data_contracts.validation import ValidationReport, schema_failures, validate
from tasks.file_lock import one_at_a_time
from tasks.libraries import library_versions
from tasks.same_input import reuse_same_input
from tasks.shared_datasets import offer_dataset, take_dataset
from tasks.tracking import RunContext, log_dataset, stage_run
from tasks.unfinished import find_unfinished, unfinished_fingerprint

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Stage:
    """What is fixed about a stage.

    Attributes:
        name: Also the name of its datasets and its MLflow child run.
        version: Raise it when the stage's code gives other results for the same input:
            it is part of the fingerprint, so old datasets are then not reused.
        schema: Arrow schema of the kept rows.
        suite: Name of its Great Expectations suite.
    """

    name: str
    version: int
    schema: pa.Schema
    suite: str


def run_stage(
    stage: Stage,
    context: RunContext,
    config: Config,
    parents: Mapping[str, str],
    compute: Callable[[], StageResult],
) -> DatasetRef:
    """Return the stage's dataset, computing it only if it does not exist yet.

    A dataset that lacks replies of a language model does not count as existing: each run tries
    to finish it, and goes on with it where that cannot be done.

    Args:
        stage: The stage.
        context: Home folder and MLflow run.
        config: All options that influence the result.
        parents: Role of each input (e.g. "chunks") to its fingerprint.
        compute: Makes the result; called only when there is no such dataset.

    Raises:
        ConfigError: TEMPER_STORE names a store that cannot be opened.
        ContractViolation: The result breaks the stage's contract; nothing is stored.
        EndpointError: A language model failed, and no earlier run got this far.
        StorageError: The result cannot be written.
    """
    options = config.model_dump(mode="json")
    fingerprint = dataset_fingerprint(stage.name, stage.version, options, parents)
    alone = one_at_a_time(context.home, fingerprint)
    with stage_run(context, stage.name) as mlflow, alone:
        ref = _existing(stage, context, options, parents, fingerprint)
        mlflow.set_tag("temper.reused", str(ref is not None).lower())
        if ref is None:
            started = time.monotonic()
            try:
                result = compute()
            except EndpointError as error:
                ref = _unfinished(stage, context, fingerprint, error)
            else:
                report = _check(stage, result, context, mlflow)
                manifest = _manifest(stage, options, parents, result, report, started)
                ref = _stored(stage, context, result, manifest)
                offer_dataset(ref, made_now=True)
        else:
            logger.info("%s: unchanged, %d rows reused", stage.name, ref.rows)
        manifest = read_manifest(Path(ref.folder))
        _warn_of_unanswered(manifest)
        log_dataset(mlflow, ref, manifest)
    return ref


def _existing(
    stage: Stage,
    context: RunContext,
    options: dict[str, Any],
    parents: Mapping[str, str],
    fingerprint: str,
) -> DatasetRef | None:
    """Return the dataset if there is one: in this home, under another name, or in the store."""
    ref = find_dataset(context.home, stage.name, fingerprint) or reuse_same_input(
        context.home, stage.name, stage.version, options, parents, fingerprint
    )
    if ref is None:
        return take_dataset(context.home, stage.name, fingerprint)
    offer_dataset(ref, made_now=False)
    return ref


def _stored(
    stage: Stage, context: RunContext, result: StageResult, manifest: Manifest
) -> DatasetRef:
    staged = stage_files(context.home, stage.name, manifest.fingerprint, result)
    hashes = {path.name: file_sha256(path) for path in sorted(staged.iterdir())}
    ref = commit(staged, context.home, manifest.model_copy(update={"files": hashes}))
    logger.info("%s: %s", stage.name, _summary(manifest))
    return ref


def _unfinished(
    stage: Stage, context: RunContext, fingerprint: str, error: EndpointError
) -> DatasetRef:
    """Return what an earlier run made of the replies it got, where this one gets no more.

    Raises:
        EndpointError: There is no such dataset.
    """
    ref = find_unfinished(context.home, stage.name, fingerprint)
    if ref is None:
        raise error
    logger.warning("%s: it cannot be finished now. %s", stage.name, error)
    logger.info("%s: unfinished, %d rows reused", stage.name, ref.rows)
    return ref


def _warn_of_unanswered(manifest: Manifest) -> None:
    if manifest.unanswered:
        logger.warning(
            "%s: %d requests to the language model got no reply, so the dataset is not finished. "
            "The next run asks for them again, and for nothing else.",
            manifest.stage,
            manifest.unanswered,
        )


def _check(stage: Stage, result: StageResult, context: RunContext, mlflow: Any) -> ValidationReport:
    """Validate a result; on a breach leave the evidence in MLflow and raise."""
    docs = context.home / "data_docs" / stage.suite  # a check leaves nothing of others beside it
    report = validate(result.kept, stage.schema, stage.suite, docs)
    failures = [*report.failures, *_accounting_failures(result, stage.schema)]
    mlflow.log_dict({**report.as_dict(), "failures": failures}, "validation.json")
    _log_data_docs(mlflow, docs, stage.suite)
    if failures:
        raise ContractViolation(stage.name, failures)
    return report


def _accounting_failures(result: StageResult, schema: pa.Schema) -> list[str]:
    """Nothing is lost silently: every row in is either kept or dropped with a reason."""
    failures = [
        f"dropped rows: {f}" for f in schema_failures(result.dropped, dropped_schema(schema))
    ]
    kept, dropped = result.kept.num_rows, result.dropped.num_rows
    if kept + dropped != result.rows_in:
        failures.append(
            f"{result.rows_in} rows came in, but {kept} kept + {dropped} dropped went out"
        )
    return failures


def _log_data_docs(mlflow: Any, docs: Path, suite: str) -> None:
    """Log the newest Data Docs page of a suite."""
    pages = sorted(docs.glob(f"validations/{suite}/**/*.html"))
    if pages:
        page = pages[-1].relative_to(docs)
        mlflow.log_artifact(str(docs / page), f"data_docs/{page.parent}")


def _manifest(
    stage: Stage,
    options: dict[str, Any],
    parents: Mapping[str, str],
    result: StageResult,
    report: ValidationReport,
    started: float,
) -> Manifest:
    content = content_sha256(result.kept)
    fingerprint = dataset_fingerprint(stage.name, stage.version, options, parents)
    if result.unanswered:
        fingerprint = unfinished_fingerprint(fingerprint, result.unanswered, content)
    return Manifest(
        stage=stage.name,
        stage_version=stage.version,
        schema_version=SCHEMA_VERSION,
        fingerprint=fingerprint,
        parents=dict(parents),
        config=options,
        rows_in=result.rows_in,
        rows_kept=result.kept.num_rows,
        rows_dropped=result.dropped.num_rows,
        drop_reasons=count_reasons(result.dropped),
        figures=dict(result.figures),
        unanswered=result.unanswered,
        content_sha256=content,
        files={},
        validation=report.as_dict(),
        versions=dict(library_versions()),
        seconds=round(time.monotonic() - started, 3),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _summary(manifest: Manifest) -> str:
    reasons = ", ".join(f"{n} {reason}" for reason, n in manifest.drop_reasons.items())
    dropped = f"{manifest.rows_dropped} dropped" + (f" ({reasons})" if reasons else "")
    return f"{manifest.rows_kept} rows kept, {dropped}, {manifest.seconds:.1f} s"
