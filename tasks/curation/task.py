"""The Prefect tasks of curation: duplicates and groups, and the audit of the final dataset."""

from typing import Any

from prefect import task

from data_contracts.dataset import DatasetRef, dataset_fingerprint, read_kept
from data_contracts.errors import LeakageFound
from data_contracts.results import LeakageCertificate
from data_contracts.schemas import EXAMPLE
from tasks.curation.audit import audit_leakage, describe_hits
from tasks.curation.certificate import cached_certificate
from tasks.curation.config import CurationConfig
from tasks.curation.curate import curate_examples
from tasks.stage import Stage, run_stage
from tasks.tracking import RunContext, stage_run

CURATION = Stage(name="curation", version=1, schema=EXAMPLE, suite="curation")

AUDIT = "audit"

# Raise when the audit's code gives other results.
AUDIT_VERSION = 1


@task(name="curate")
def curate(examples: DatasetRef, config: CurationConfig, context: RunContext) -> DatasetRef:
    """Drop duplicates and put related examples into groups."""
    parents = {"examples": examples.fingerprint}
    return run_stage(
        CURATION, context, config, parents, lambda: curate_examples(read_kept(examples), config)
    )


@task(name="audit")
def audit(examples: DatasetRef, config: CurationConfig, context: RunContext) -> LeakageCertificate:
    """Prove that no training row gives a held-out row away.

    Raises:
        LeakageFound: One does; the message names the rows.
    """
    parents = {"examples": examples.fingerprint}
    fingerprint = dataset_fingerprint(AUDIT, AUDIT_VERSION, config.model_dump(mode="json"), parents)
    with stage_run(context, AUDIT) as mlflow:
        certificate = cached_certificate(
            context.home, fingerprint, lambda: audit_leakage(read_kept(examples), config)
        )
        _log(mlflow, certificate, fingerprint)
        if not certificate.passed:
            raise LeakageFound(AUDIT, describe_hits(certificate))
    return certificate


def _log(mlflow: Any, certificate: LeakageCertificate, fingerprint: str) -> None:
    mlflow.set_tag("temper.fingerprint", fingerprint)
    mlflow.log_dict(certificate.model_dump(), "leakage_certificate.json")
    figures: dict[str, float] = {
        "shared_groups": certificate.shared_groups,
        "passed": float(certificate.passed),
    }
    for finding in certificate.findings:
        figures[f"{finding.split}.{finding.detector}.hits"] = finding.hits
        figures[f"{finding.split}.{finding.detector}.highest"] = finding.highest
    mlflow.log_metrics(figures)
