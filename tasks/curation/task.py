"""The Prefect tasks of curation: duplicates and groups, the audit, and what it takes out."""

import logging
import re
from collections.abc import Sequence
from typing import Any

from prefect import task

from data_contracts.base import Config, digest
from data_contracts.dataset import (
    DatasetRef,
    StageResult,
    content_sha256,
    dataset_fingerprint,
    read_kept,
)
from data_contracts.errors import LeakageFound
from data_contracts.results import LeakageCertificate
from data_contracts.schemas import EXAMPLE
from tasks.curation.audit import audit_leakage, describe_hits
from tasks.curation.certificate import cached_certificate
from tasks.curation.config import CurationConfig
from tasks.curation.curate import curate_examples
from tasks.curation.outside import OutsideRows
from tasks.curation.withdraw import can_be_withdrawn, withdraw_rows
from tasks.stage import Stage, run_stage
from tasks.text.remembered import remembering
from tasks.tracking import RunContext, stage_run

logger = logging.getLogger(__name__)

CURATION = Stage(name="curation", version=3, schema=EXAMPLE, suite="curation")

WITHDRAWAL = Stage(name="withdrawal", version=1, schema=EXAMPLE, suite="withdrawal")

AUDIT = "audit"

# Raise when the audit's code gives other results.
AUDIT_VERSION = 6


@task(name="curate")
def curate(examples: DatasetRef, config: CurationConfig, context: RunContext) -> DatasetRef:
    """Drop duplicates and put related examples into groups."""
    parents = {"examples": examples.fingerprint}
    rules = config.model_copy(update={"benchmarks": ()})  # another benchmark changes no row

    def compute() -> StageResult:
        with remembering(context.home / "cache" / CURATION.name):
            return curate_examples(read_kept(examples), rules)

    return run_stage(CURATION, context, rules, parents, compute)


@task(name="audit")
def audit(
    examples: DatasetRef,
    config: CurationConfig,
    context: RunContext,
    outside: Sequence[OutsideRows] = (),
    withdrawing: bool = False,
) -> LeakageCertificate:
    """Prove that no training row gives a held-out row away.

    Args:
        examples: The finished dataset.
        config: Thresholds.
        context: Home folder and MLflow run.
        outside: What else to compare with: test rows of earlier versions, benchmarks.
        withdrawing: Let it pass that a few are given away, which `withdraw` can take out.

    Raises:
        LeakageFound: One does; the message names the rows. A hit outside, or between
            validation and test, only warns.
    """
    # of its content: where a changed document changed no row, the certificate stands
    parents = {"examples": examples.content_sha256}
    parents |= {other.name: content_sha256(other.rows) for other in outside}
    fingerprint = dataset_fingerprint(AUDIT, AUDIT_VERSION, config.model_dump(mode="json"), parents)

    def compute() -> LeakageCertificate:
        with remembering(context.home / "cache" / AUDIT):
            return audit_leakage(read_kept(examples), config, outside)

    with stage_run(context, AUDIT) as mlflow:
        certificate = cached_certificate(context.home, fingerprint, compute)
        _log(mlflow, certificate, fingerprint)
        if not certificate.passed and not (withdrawing and can_be_withdrawn(certificate)):
            raise LeakageFound(AUDIT, describe_hits(certificate.findings))
        for line in describe_hits([*certificate.between, *certificate.outside]):
            logger.warning("%s", line)
    return certificate


@task(name="withdraw")
def withdraw(
    examples: DatasetRef, certificate: LeakageCertificate, context: RunContext
) -> DatasetRef:
    """Take out the held-out rows that the audit found given away."""
    found = digest([finding.model_dump(mode="json") for finding in certificate.findings])
    parents = {"examples": examples.fingerprint, "findings": found}

    def compute() -> StageResult:
        return withdraw_rows(read_kept(examples), certificate)

    return run_stage(WITHDRAWAL, context, Config(), parents, compute)


def _log(mlflow: Any, certificate: LeakageCertificate, fingerprint: str) -> None:
    mlflow.set_tag("temper.fingerprint", fingerprint)
    mlflow.log_dict(certificate.model_dump(), "leakage_certificate.json")
    figures: dict[str, float] = {
        "shared_groups": certificate.shared_groups,
        "passed": float(certificate.passed),
    }
    for found in [*certificate.findings, *certificate.between, *certificate.outside]:
        beside = "" if found.given_by == "train" else f"{found.given_by}."
        name = f"{_metric_name(found.split)}.{beside}{found.detector}"
        figures |= {f"{name}.hits": found.hits, f"{name}.highest": found.highest}
    if certificate.apart is not None:
        figures["test.rows_apart"] = len(certificate.apart.example_ids)
    for accuracy in certificate.accuracy.detectors if certificate.accuracy else []:
        figures[f"planted.{accuracy.detector}.recall"] = accuracy.recall
        if accuracy.false_alarms is not None:
            figures[f"planted.{accuracy.detector}.false_alarms"] = accuracy.false_alarms
    mlflow.log_metrics(figures)


def _metric_name(split: str) -> str:
    """Return the name with the characters alone that MLflow allows."""
    return re.sub(r"[^A-Za-z0-9_. /-]", "_", split)
