"""The Prefect tasks of evaluation: measure one model; compare two."""

from typing import TYPE_CHECKING, Any

from prefect import task

from data_contracts.dataset import DatasetRef, StageResult, read_kept
from data_contracts.results import BaseModelRef, Comparison, Delta, ModelRef
from data_contracts.schemas import PREDICTION
from tasks.evaluation.config import EvaluationConfig
from tasks.evaluation.general import SHIPPED, general_digest, read_general
from tasks.stage import Stage, run_stage
from tasks.tracking import RunContext, stage_run

if TYPE_CHECKING:
    from torch import nn
    from transformers import PreTrainedTokenizerBase

EVALUATION = Stage(name="evaluation", version=1, schema=PREDICTION, suite="prediction")

COMPARISON = "comparison"


@task(name="evaluate")
def evaluate(
    model: BaseModelRef | ModelRef,
    examples: DatasetRef,
    config: EvaluationConfig,
    context: RunContext,
) -> DatasetRef:
    """Measure one model on the examples' splits, on general text and on general skills."""
    folder = config.general_folder or SHIPPED
    parents = {
        "model": model.fingerprint,
        "examples": examples.content_sha256,  # equal rows give equal results, however made
        "general": general_digest(folder),
    }

    def compute() -> StageResult:
        from tasks.evaluation.predict import predict

        general = read_general(folder)  # before the model: a wrong file should not cost a minute
        loaded, tokenizer = _load(model)
        return predict(loaded, tokenizer, read_kept(examples), general, config)

    return run_stage(EVALUATION, context, config, parents, compute)


@task(name="compare")
def compare_models(
    base: DatasetRef, tuned: DatasetRef, config: EvaluationConfig, context: RunContext
) -> Comparison:
    """Compare the predictions of base and tuned model."""
    from tasks.evaluation.compare import compare

    with stage_run(context, COMPARISON) as mlflow:
        comparison = compare(read_kept(base), read_kept(tuned), config)
        _log(mlflow, comparison)
        mlflow.set_tags({"temper.base": base.fingerprint, "temper.tuned": tuned.fingerprint})
    return comparison


def _load(
    model: BaseModelRef | ModelRef,
) -> "tuple[nn.Module, PreTrainedTokenizerBase]":
    from tasks.modeling.base_model import load_model, load_tokenizer
    from tasks.modeling.tuned import load_tuned

    if isinstance(model, ModelRef):
        return load_tuned(model)
    return load_model(model), load_tokenizer(model)


def _log(mlflow: Any, comparison: Comparison) -> None:
    metrics: dict[str, float] = {}
    for delta in comparison.deltas:
        metrics |= _delta_metrics(delta)
    for gap in comparison.gaps:
        name = f"gap.{gap.set}"
        metrics |= {f"{name}.base": gap.base, f"{name}.tuned": gap.tuned}
        metrics |= {
            f"{name}.excess": gap.excess.estimate,
            f"{name}.excess_low": gap.excess.low,
            f"{name}.excess_high": gap.excess.high,
        }
    mlflow.log_metrics(metrics)
    mlflow.log_dict(comparison.model_dump(), "comparison.json")


def _delta_metrics(delta: Delta) -> dict[str, float]:
    part = "" if delta.name == "all" else f"{delta.name}."
    name = f"{delta.set}.{part}{delta.measure}"
    return {
        f"{name}.rows": delta.rows,
        f"{name}.base": delta.base,
        f"{name}.tuned": delta.tuned,
        f"{name}.delta": delta.delta.estimate,
        f"{name}.delta_low": delta.delta.low,
        f"{name}.delta_high": delta.delta.high,
    }
