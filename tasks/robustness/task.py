"""The Prefect task of robustness: ask both models in every form, compare, log."""

from typing import Any

from prefect import task

from data_contracts.dataset import DatasetRef, StageResult, read_kept
from data_contracts.results import BaseModelRef, ModelRef, Robustness
from data_contracts.schemas import PREDICTION
from tasks.modeling.tuned import load_any
from tasks.robustness.config import RobustnessConfig
from tasks.stage import Stage, run_stage
from tasks.tracking import RunContext, stage_run

ROBUSTNESS = Stage(name="robustness", version=1, schema=PREDICTION, suite="prediction")


@task(name="measure robustness")
def measure_robustness(
    model: ModelRef, examples: DatasetRef, config: RobustnessConfig, context: RunContext
) -> Robustness | None:
    """Return what asking otherwise costs base and tuned model; None where it is not measured."""
    if not config.rows:
        return None
    from tasks.robustness.compare import compare_forms

    base, tuned = (_measured(m, examples, config, context) for m in (model.base, model))
    found = compare_forms(read_kept(base), read_kept(tuned), config)
    with stage_run(context, "robustness comparison") as mlflow:
        _log(mlflow, found)
    return found


def _measured(
    model: BaseModelRef | ModelRef,
    examples: DatasetRef,
    config: RobustnessConfig,
    context: RunContext,
) -> DatasetRef:
    parents = {"model": model.measured_as, "examples": examples.content_sha256}

    def compute() -> StageResult:
        from tasks.evaluation.config import EvaluationConfig
        from tasks.evaluation.general import GeneralSets
        from tasks.evaluation.predict import predict
        from tasks.robustness.variants import variants

        rows = variants(read_kept(examples), config)
        asked = EvaluationConfig(
            test_rows=rows.num_rows,
            generated_rows=config.generated_rows,
            max_new_tokens=config.max_new_tokens,
            max_length=config.max_length,
            scored_tokens_per_forward=config.scored_tokens_per_forward,
        )
        return predict(*load_any(model), rows, GeneralSets((), ()), asked)

    return run_stage(ROBUSTNESS, context, config, parents, compute)


def _log(mlflow: Any, found: Robustness) -> None:
    metrics: dict[str, float] = {}
    for form in found.forms:
        name = f"robustness.{form.form}.{form.measure}"
        metrics |= {f"{name}.base": form.base.estimate, f"{name}.tuned": form.tuned.estimate}
        metrics |= {
            f"{name}.excess": form.excess.estimate,
            f"{name}.excess_low": form.excess.low,
            f"{name}.excess_high": form.excess.high,
        }
    mlflow.log_metrics(metrics)
    mlflow.log_dict(found.model_dump(), "robustness.json")
