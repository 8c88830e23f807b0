"""The Prefect task of memorisation: measure base and tuned model, compare, log."""

from contextlib import nullcontext
from typing import Any

from prefect import task

from data_contracts.base import digest
from data_contracts.dataset import DatasetRef, StageResult, read_kept
from data_contracts.results import BaseModelRef, FigureChange, Memorisation, ModelRef
from data_contracts.schemas import MEMORY
from tasks.memorisation.config import MemorisationConfig
from tasks.modeling.canary import CanaryConfig
from tasks.modeling.tuned import load_any, read_model_manifest
from tasks.stage import Stage, run_stage
from tasks.tracking import RunContext, stage_run

MEMORISATION = Stage(name="memorisation", version=2, schema=MEMORY, suite="memorisation")


@task(name="measure memorisation")
def measure_memorisation(
    model: ModelRef, examples: DatasetRef, config: MemorisationConfig, context: RunContext
) -> Memorisation | None:
    """Return what training added to what a model gives away; None where it is not measured.

    Args:
        model: The tuned model; its manifest says which canaries it was trained with.
        examples: The rows that it was trained on.
        config: What is asked.
        context: Home folder and MLflow run.
    """
    if not config.enabled:
        return None
    from tasks.memorisation.compare import compare_memory

    canaries = planted_canaries(model)
    base = _measured(model.base, canaries, examples, config, context)
    tuned = _measured(model, canaries, examples, config, context)
    found = compare_memory(read_kept(base), read_kept(tuned), config)
    with stage_run(context, "memorisation comparison") as mlflow:
        _log(mlflow, found)
    return found


def planted_canaries(model: ModelRef) -> CanaryConfig:
    """Return which canaries a tuned model was trained with."""
    config = read_model_manifest(model.folder).config
    return CanaryConfig.model_validate(config.get("canaries", {}))


def _measured(
    model: BaseModelRef | ModelRef,
    canaries: CanaryConfig,
    examples: DatasetRef,
    config: MemorisationConfig,
    context: RunContext,
) -> DatasetRef:
    parents = {
        "model": model.measured_as,
        "examples": examples.content_sha256,
        "canaries": digest(canaries.model_dump(exclude={"repetitions"})),
    }

    def compute() -> StageResult:
        from tasks.evaluation.remembered import Memory, base_memory
        from tasks.memorisation.measure import measure

        kept = isinstance(model, BaseModelRef)  # a tuned model is new each time
        loaded, tokenizer = load_any(model)
        cache = context.home / "cache" / MEMORISATION.name
        with base_memory(cache, model.measured_as, None) if kept else nullcontext() as memo:
            rows = read_kept(examples)
            return measure(loaded, tokenizer, rows, canaries, config, Memory(memo))

    return run_stage(MEMORISATION, context, config, parents, compute)


def _log(mlflow: Any, found: Memorisation) -> None:
    changes = {"copied": found.copied, "ngrams": found.ngrams, "common_words": found.common_words}
    changes |= {f"membership.{name}": change for name, change in found.membership.items()}
    metrics = {"memorisation.prompts": float(found.prompts)}
    for name, change in changes.items():
        if change is not None:
            metrics |= _change_metrics(f"memorisation.{name}", change)
    if found.canaries:
        metrics |= {"memorisation.canaries": float(found.canaries)}
        metrics |= {"memorisation.exposure": found.exposure}
    mlflow.log_metrics(metrics)
    mlflow.log_dict(found.model_dump(), "memorisation.json")


def _change_metrics(name: str, change: FigureChange) -> dict[str, float]:
    return {
        f"{name}.base": change.base,
        f"{name}.tuned": change.tuned,
        f"{name}.delta": change.delta.estimate,
        f"{name}.delta_low": change.delta.low,
        f"{name}.delta_high": change.delta.high,
    }
