"""The Prefect tasks of the verdict, the registry and promotion."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from prefect import task
from prefect.events import emit_event

from data_contracts.base import digest
from data_contracts.dataset import DatasetRef, read_manifest
from data_contracts.errors import ChampionChanged, ModelError
from data_contracts.results import (
    Comparison,
    ExportCheck,
    LeakageCertificate,
    Lineage,
    Memorisation,
    ModelRef,
    ModelVersionRef,
    Verdict,
)
from tasks.file_lock import file_lock, one_at_a_time
from tasks.modeling.tuned import find_model
from tasks.promotion.champion import (
    Registry,
    challenger_version,
    champion_before,
    champion_fingerprint,
    champion_on_record,
    champion_version,
    promote_version,
    roll_back,
    signed,
    was_promoted,
)
from tasks.promotion.config import GateConfig
from tasks.promotion.gate import Evidence, judge
from tasks.promotion.history import read_history
from tasks.promotion.lineage import check_lineage
from tasks.promotion.recipe import Recipe, log_record, write_recipe
from tasks.promotion.registry import (
    CHALLENGER,
    CONTENT_TAG,
    DATASET_TAG,
    MODEL_TAG,
    VERDICT_TAG,
    RegistryConfig,
    find_version,
    log_and_register,
)
from tasks.tracking import RunContext, connect, stage_run

logger = logging.getLogger(__name__)

# Prefect's limit on promotions at once, wherever they run; made when first needed.
PROMOTION_LIMIT = "temper-promotion"
# A promotion takes a second; what waits longer waits for something that hangs.
SECONDS_TO_WAIT = 300

# Libraries whose version decides what a model computes; all others lie in recipe.json.
_TOLD = ("torch", "transformers", "peft", "safetensors", "mlflow", "prefect")

# What the automations in deploy/automations.yaml wait for.
JUDGED = {
    "PASS": "temper.gate.passed",
    "FAIL": "temper.gate.failed",
    "INSUFFICIENT EVIDENCE": "temper.gate.undecided",
}
CHAMPION_CHANGED = "temper.champion.changed"


@task(name="judge")
def judge_model(
    comparison: Comparison,
    certificate: LeakageCertificate,
    datasets: list[DatasetRef],
    config: GateConfig,
    context: RunContext,
    memorisation: Memorisation | None = None,
    export_parity: Sequence[ExportCheck] = (),
    lineage: Lineage | None = None,
) -> Verdict:
    """Return the verdict on a tuned model and log it with every leg."""
    contracts = {ref.stage: read_manifest(Path(ref.folder)).validation for ref in datasets}
    evidence = Evidence(comparison, certificate, contracts, memorisation, export_parity, lineage)
    verdict = judge(evidence, config)
    with stage_run(context, "gate") as mlflow:
        mlflow.log_dict(verdict.model_dump(), "verdict.json")
        outcomes = {leg.name: str(leg.outcome) for leg in verdict.legs}
        outcomes |= {leg: f"switched off: {why}" for leg, why in verdict.switched_off.items()}
        mlflow.set_tags({f"temper.gate.{name}": text for name, text in outcomes.items()})
        client = mlflow.MlflowClient()
        client.set_tag(context.run_id, VERDICT_TAG, verdict.outcome)
        for name, value in _headline(comparison).items():  # so that runs compare at a glance
            client.log_metric(context.run_id, name, value)
    _tell(
        JUDGED[verdict.outcome],
        f"temper.experiment.{context.experiment}",
        {leg.name: leg.outcome for leg in verdict.legs} | {"mlflow_run": context.run_id},
    )
    return verdict


@task(name="check lineage")
def lineage_of(model: ModelRef, base_scores: DatasetRef, tuned_scores: DatasetRef) -> Lineage:
    """Return whether the model that was measured is the one that was trained."""
    return check_lineage(model, base_scores, tuned_scores)


@task(name="register model")
def register_model(
    model: ModelRef,
    stages: list[DatasetRef],
    scores: DatasetRef,
    comparison: Comparison,
    verdict: Verdict,
    profile: Mapping[str, Any],
    config: RegistryConfig,
    context: RunContext,
) -> ModelVersionRef:
    """Register the tuned model, once for each verdict; on PASS, promote it.

    It stays the challenger alone if the champion changed meanwhile, or if this very version
    was the champion before: whoever replaced it or rolled it back had a reason.
    """
    name = config.model_name
    alone = one_at_a_time(context.home, f"registration of {name}")
    with stage_run(context, "registration") as mlflow, alone:
        client = mlflow.MlflowClient()
        champion = champion_before(client, name)
        version = find_version(client, name, model.fingerprint, verdict.outcome)
        mlflow.set_tag("temper.reused", str(version is not None).lower())
        if version is None:
            recipe = write_recipe(profile, stages, scores, model)
            log_record(mlflow, recipe, comparison, verdict)
            tags = _tags(recipe, comparison, verdict, context)
            version = log_and_register(mlflow, model, name, tags)
        client.set_registered_model_alias(name, CHALLENGER, version)
        registry = Registry(client, name, partial(_promotion_lock, context.home, name))
        return _promoted(registry, version, verdict, champion, context)


def _promoted(
    registry: Registry, version: str, verdict: Verdict, champion: str | None, context: RunContext
) -> ModelVersionRef:
    """Promote a version that passed, or say why it stays the challenger."""
    name = registry.name
    waiting = ModelVersionRef(name=name, version=version, champion=champion == version)
    if verdict.outcome != "PASS":
        logger.info("registry: %s version %s is challenger (%s)", name, version, verdict.outcome)
        return waiting
    if champion != version and was_promoted(registry.client, name, version):
        logger.warning("registry: %s version %s was replaced before; it waits", name, version)
        return waiting
    try:
        why = signed(f"The gate's verdict is PASS in pipeline run {context.run_id}.")
        promoted = promote_version(registry, version, champion, why)
    except ChampionChanged as error:
        logger.warning("registry: %s", error)
        return waiting
    _tell_champion(champion, promoted)
    return promoted


@task(name="promote")
def promote_model(
    name: str, version: str | None, reason: str, home: Path, tracking_uri: str
) -> ModelVersionRef:
    """Move `champion` to a version (the challenger, if none is named) that passed the gate."""
    registry = _registry(name, home, tracking_uri)
    champion = champion_version(registry.client, name)
    chosen = version or challenger_version(registry.client, name)
    promoted = promote_version(registry, chosen, champion, signed(reason))
    _tell_champion(champion, promoted)
    return promoted


@task(name="roll back")
def roll_back_model(
    name: str, to: str | None, reason: str, home: Path, tracking_uri: str
) -> ModelVersionRef:
    """Move `champion` back to a version (the champion before, if none is named)."""
    registry = _registry(name, home, tracking_uri)
    champion = champion_version(registry.client, name)
    restored = roll_back(registry, to, champion, signed(reason))
    _tell_champion(champion, restored)
    return restored


def _registry(name: str, home: Path, tracking_uri: str) -> Registry:
    client = connect(tracking_uri).MlflowClient()
    return Registry(client, name, partial(_promotion_lock, home, name))


@contextmanager
def _promotion_lock(home: Path, name: str) -> Iterator[None]:
    """Exclude processes that share the home folder, and those that share the Prefect server."""
    from prefect.concurrency.sync import concurrency

    _make_promotion_limit()
    with (
        file_lock(home / "promotion.lock").held(name),
        concurrency(PROMOTION_LIMIT, timeout_seconds=SECONDS_TO_WAIT, strict=True),
    ):
        yield


def _make_promotion_limit() -> None:
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate
    from prefect.exceptions import ObjectAlreadyExists

    limit = GlobalConcurrencyLimitCreate(name=PROMOTION_LIMIT, limit=1)
    with get_client(sync_client=True) as client, suppress(ObjectAlreadyExists):
        client.create_global_concurrency_limit(limit)


@task(name="find champion")
def champion_model(name: str, context: RunContext) -> ModelRef:
    """Return the tuned model on this machine that is the registered champion.

    Raises:
        PromotionError: There is no champion.
        ModelError: Its files are not in the home folder, or damaged.
    """
    client = connect(context.tracking_uri).MlflowClient()
    fingerprint = champion_fingerprint(client, name)
    _notice(client, name)
    found = find_model(context.home, fingerprint)
    if found is None:
        raise ModelError(
            f"The champion of {name} is the tuned model {fingerprint}, which is not whole below "
            f"{context.home}. Run on the machine that trained it, or share its TEMPER_HOME."
        )
    return found


def _notice(client: Any, name: str) -> None:
    """Emit the event that nobody emitted where the alias was moved in MLflow, past Temper."""
    if champion_on_record(client, name):
        return
    version, history = champion_version(client, name), read_history(client, name)
    before = history[-1].version if history else None
    logger.warning(
        "registry: %s version %s is champion, and no promotion of Temper made it that. Look who "
        "did; `temper promote --version %s` puts it on the record, `temper rollback` undoes it",
        name, version, version,
    )  # fmt: skip
    _tell_champion(before, ModelVersionRef(name=name, version=str(version), champion=True))


def _tell_champion(before: str | None, after: ModelVersionRef) -> None:
    """Emit an event if the champion is another version now."""
    if after.champion and after.version != before:
        payload = {"version": after.version, "before": before or "none"}
        _tell(CHAMPION_CHANGED, f"temper.model.{after.name}", payload)


def _tell(event: str, resource: str, payload: dict[str, str]) -> None:
    name = resource.split(".", 2)[-1]
    resource_labels = {"prefect.resource.id": resource, "prefect.resource.name": name}
    emit_event(event=event, resource=resource_labels, payload=payload)


def _headline(comparison: Comparison) -> dict[str, float]:
    """Return the figures that tell pipelines apart."""
    found = {}
    for delta in comparison.deltas:
        if delta.name == "all" and delta.set in {"test", "general_text", "general_skill"}:
            found[f"{delta.set}.{delta.measure}.base"] = delta.base
            found[f"{delta.set}.{delta.measure}.tuned"] = delta.tuned
    return found


def _tags(
    recipe: Recipe, comparison: Comparison, verdict: Verdict, context: RunContext
) -> dict[str, str]:
    """Return what a version must say of itself: data, base, code, figures and verdict."""
    tags = {
        MODEL_TAG: recipe.model,
        VERDICT_TAG: verdict.outcome,
        "temper.method": recipe.method,
        "temper.base_model": recipe.base.pinned_name,
        "temper.base_fingerprint": recipe.base.fingerprint,
        DATASET_TAG: recipe.examples.fingerprint,
        CONTENT_TAG: recipe.examples.content_sha256,
        "temper.profile": digest(recipe.profile),
        "temper.code": recipe.code,
        "temper.python": recipe.python,
        "temper.pipeline_run": context.run_id,
    }
    canaries = recipe.profile.get("training", {}).get("canaries", {}).get("count", 0)
    if canaries:  # a model for measuring: nobody shall take it for one to deploy unawares
        tags["temper.canaries"] = str(canaries)
    tags |= {f"temper.library.{name}": recipe.libraries.get(name, "") for name in _TOLD}
    tags |= {f"temper.gate.{leg.name}": leg.outcome for leg in verdict.legs}
    tags |= {f"temper.gate.{leg}": f"switched off: {x}" for leg, x in verdict.switched_off.items()}
    for delta in comparison.deltas:
        if delta.name == "all":
            key = f"temper.{delta.set}.{delta.measure}"
            tags[key] = f"{delta.base:.4f} -> {delta.tuned:.4f}"
    return tags
