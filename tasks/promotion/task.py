"""The Prefect tasks of the verdict, the registry and promotion."""

from pathlib import Path

from prefect import task

from data_contracts.dataset import DatasetRef, read_manifest
from data_contracts.results import (
    Comparison,
    LeakageCertificate,
    ModelRef,
    ModelVersionRef,
    Verdict,
)
from tasks.promotion.config import GateConfig
from tasks.promotion.gate import judge
from tasks.promotion.registry import (
    MODEL_TAG,
    VERDICT_TAG,
    RegistryConfig,
    challenger_version,
    find_version,
    log_and_register,
    promote_version,
    set_aliases,
)
from tasks.tracking import RunContext, connect, stage_run


@task(name="judge")
def judge_model(
    comparison: Comparison,
    certificate: LeakageCertificate,
    datasets: list[DatasetRef],
    config: GateConfig,
    context: RunContext,
) -> Verdict:
    """Return the verdict on a tuned model and log it with every leg."""
    contracts = {ref.stage: read_manifest(Path(ref.folder)).validation for ref in datasets}
    verdict = judge(comparison, certificate, contracts, config)
    with stage_run(context, "gate") as mlflow:
        mlflow.log_dict(verdict.model_dump(), "verdict.json")
        mlflow.set_tags({f"temper.gate.{leg.name}": leg.outcome for leg in verdict.legs})
        client = mlflow.MlflowClient()
        client.set_tag(context.run_id, VERDICT_TAG, verdict.outcome)
        for name, value in _headline(comparison).items():  # so that runs compare at a glance
            client.log_metric(context.run_id, name, value)
    return verdict


@task(name="register model")
def register_model(
    model: ModelRef,
    examples: DatasetRef,
    comparison: Comparison,
    verdict: Verdict,
    config: RegistryConfig,
    context: RunContext,
) -> ModelVersionRef:
    """Register the tuned model, once for each verdict, and move the aliases."""
    name = config.model_name
    with stage_run(context, "registration") as mlflow:
        client = mlflow.MlflowClient()
        version = find_version(client, name, model.fingerprint, verdict.outcome)
        mlflow.set_tag("temper.reused", str(version is not None).lower())
        if version is None:
            tags = _tags(model, examples, comparison, verdict, context)
            version = log_and_register(mlflow, model, name, tags)
        return set_aliases(client, name, version, verdict.outcome)


@task(name="promote")
def promote_model(name: str, version: str | None, tracking_uri: str) -> ModelVersionRef:
    """Move `champion` to a version (the challenger, if none is named) that passed the gate."""
    client = connect(tracking_uri).MlflowClient()
    return promote_version(client, name, version or challenger_version(client, name))


def _headline(comparison: Comparison) -> dict[str, float]:
    """Return the figures that tell pipelines apart."""
    found = {}
    for delta in comparison.deltas:
        if delta.name == "all" and delta.set in {"test", "general_text", "general_skill"}:
            found[f"{delta.set}.{delta.measure}.base"] = delta.base
            found[f"{delta.set}.{delta.measure}.tuned"] = delta.tuned
    return found


def _tags(
    model: ModelRef,
    examples: DatasetRef,
    comparison: Comparison,
    verdict: Verdict,
    context: RunContext,
) -> dict[str, str]:
    """Return what a version must say of itself: data, base, figures and verdict."""
    tags = {
        MODEL_TAG: model.fingerprint,
        VERDICT_TAG: verdict.outcome,
        "temper.method": model.method,
        "temper.base_model": model.base.name,
        "temper.base_fingerprint": model.base.fingerprint,
        "temper.dataset": examples.fingerprint,
        "temper.dataset_content": examples.content_sha256,
        "temper.pipeline_run": context.run_id,
    }
    for delta in comparison.deltas:
        if delta.name == "all":
            key = f"temper.{delta.set}.{delta.measure}"
            tags[key] = f"{delta.base:.4f} -> {delta.tuned:.4f}"
    return tags
