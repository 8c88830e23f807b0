"""The Prefect tasks of evaluation: measure and examine one model; compare two."""

from pathlib import Path
from typing import Any

from prefect import task

from data_contracts.dataset import DatasetRef, StageResult, read_kept, read_manifest
from data_contracts.front import Sharpness
from data_contracts.results import (
    BaseModelRef,
    Comparison,
    Delta,
    LeakageCertificate,
    ModelRef,
)
from data_contracts.schemas import MEASUREMENT, PREDICTION
from tasks.evaluation.breakdown import groupings_of_test
from tasks.evaluation.config import EvaluationConfig
from tasks.evaluation.general import SHIPPED, general_digest, read_general
from tasks.evaluation.measured import comparison_metrics, delta_metrics
from tasks.evaluation.parts import parts_of_test
from tasks.llm.connect import language_model
from tasks.llm.task import llm_api_key
from tasks.stage import Stage, run_stage
from tasks.tracking import RunContext, stage_run

EVALUATION = Stage(name="evaluation", version=4, schema=PREDICTION, suite="prediction")

EXAMINATION = Stage(name="examination", version=2, schema=MEASUREMENT, suite="measurement")

COMPARISON, JUDGE = "comparison", "judge"


@task(name="evaluate")
def evaluate(
    model: BaseModelRef | ModelRef,
    examples: DatasetRef,
    config: EvaluationConfig,
    context: RunContext,
    split: str | None = None,
) -> DatasetRef:
    """Measure one model on the examples' splits, on general text and on general skills.

    Args:
        model: Base or tuned.
        examples: The rows.
        config: What is measured, on how many rows.
        context: Home folder and MLflow run.
        split: Measure this split's rows alone; all of them if None.
    """
    folder = config.general_folder or SHIPPED
    parents = {
        "model": model.measured_as,
        "examples": examples.content_sha256,  # equal rows give equal results, however made
        "general": general_digest(folder),
    }
    if split is not None:
        parents["split"] = split

    def compute() -> StageResult:
        from tasks.evaluation.measure import measure

        general = read_general(folder)
        cache = context.home / "cache" / EVALUATION.name
        return measure(model, read_kept(examples), general, config, split, cache)

    return run_stage(EVALUATION, context, config.predictions, parents, compute)


@task(name="examine")
def examine(
    model: BaseModelRef | ModelRef,
    examples: DatasetRef,
    chunks: DatasetRef | None,
    config: EvaluationConfig,
    context: RunContext,
) -> DatasetRef:
    """Put the configured examinations to one model.

    Args:
        model: Base or tuned model.
        examples: The rows that questions are made from.
        chunks: The documents' passages; None where rows were imported.
        config: The examinations.
        context: Home folder and MLflow run.
    """
    plan = config.plan
    parents = {
        "model": model.measured_as,
        "examples": examples.content_sha256,
        "files": ",".join(examination.source() for examination in plan.examinations),
    }
    if chunks is not None:
        parents["chunks"] = chunks.content_sha256

    def compute() -> StageResult:
        from tasks.evaluation.examine import examine as put
        from tasks.evaluation.examine import material_of
        from tasks.modeling.tuned import load_any

        passages = read_kept(chunks) if chunks is not None else None
        material = material_of(read_kept(examples), passages)
        return put(*load_any(model), material, plan)

    return run_stage(EXAMINATION, context, plan, parents, compute)


@task(name="compare examinations")
def compare_examined(
    comparison: Comparison,
    base: DatasetRef,
    tuned: DatasetRef,
    config: EvaluationConfig,
    context: RunContext,
) -> Comparison:
    """Return the comparison with what the examinations of both models found."""
    from tasks.evaluation.compare_examinations import compare_examinations

    with stage_run(context, "compared examinations") as mlflow:
        deltas = compare_examinations(read_kept(base), read_kept(tuned), config)
        known = read_manifest(Path(base.folder)).figures
        figures = {name: value for name, value in known.items() if not name.startswith("seconds.")}
        return _added(mlflow, comparison, deltas, figures)


@task(name="judge answers")
def judge_answers(
    comparison: Comparison,
    base: DatasetRef,
    tuned: DatasetRef,
    config: EvaluationConfig,
    context: RunContext,
) -> Comparison:
    """Return the comparison with what a language model prefers; unchanged where none is set."""
    from tasks.evaluation.pairwise import (
        answer_pairs,
        judge_figures,
        judge_pairs,
        preference_deltas,
    )

    judge = config.judge
    if judge is None:
        return comparison
    with stage_run(context, JUDGE) as mlflow:
        pairs = answer_pairs(read_kept(base), read_kept(tuned), judge.rows)
        key, cache = llm_api_key(judge.llm), context.home / "cache" / JUDGE
        with language_model(judge.llm, context.home, key) as complete:
            judged = judge_pairs(pairs, judge, complete, cache)
        deltas = preference_deltas(judged, config)
        return _added(mlflow, comparison, deltas, judge_figures(judged))


def _added(
    mlflow: Any, comparison: Comparison, deltas: list[Delta], figures: dict[str, float]
) -> Comparison:
    """Log what was found, and return the comparison with it."""
    metrics = dict(figures)
    for delta in deltas:
        metrics |= delta_metrics(delta)
    if metrics:
        mlflow.log_metrics(metrics)
    added = {
        "deltas": [*comparison.deltas, *deltas],
        "figures": {**comparison.figures, **figures},
    }
    return comparison.model_copy(update=added)


@task(name="compare")
def compare_models(
    base: DatasetRef,
    tuned: DatasetRef,
    examples: DatasetRef,
    certificate: LeakageCertificate,
    config: EvaluationConfig,
    context: RunContext,
    documents: DatasetRef | None = None,
    model: ModelRef | None = None,
) -> Comparison:
    """Compare the predictions of base and tuned model.

    Args:
        base: Predictions of the base model.
        tuned: Predictions of the tuned model for the same rows.
        examples: These rows.
        certificate: Their audit: it says to which of them nothing in training comes near.
        config: Bootstrap, and how many examples to show.
        context: Home folder and MLflow run.
        documents: The documents that rows come from, whose folders are the sources.
        model: The tuned model, for what training measured at its checkpoints.
    """
    from tasks.evaluation.compare import compare
    from tasks.evaluation.noise import read_floors, with_noise_floors

    with stage_run(context, COMPARISON) as mlflow:
        rows = read_kept(examples)
        groups = groupings_of_test(rows, read_kept(documents) if documents is not None else None)
        parts = parts_of_test(rows, certificate)
        comparison = compare(read_kept(base), read_kept(tuned), config, parts, groups)
        comparison = with_noise_floors(comparison, read_floors(base), read_floors(tuned))
        comparison = comparison.model_copy(update={"figures": _sharpness_of(base, tuned)})
        if model is not None:
            comparison = _with_checkpoints(comparison, model, config)
        mlflow.log_metrics(comparison_metrics(comparison))
        mlflow.log_dict(comparison.model_dump(), "comparison.json")
        mlflow.set_tags({"temper.base": base.fingerprint, "temper.tuned": tuned.fingerprint})
    return comparison


def _sharpness_of(base: DatasetRef, tuned: DatasetRef) -> dict[str, float]:
    """Return the mean rise of each model whose sharpness was measured."""
    measured = {"base": read_sharpness(base), "tuned": read_sharpness(tuned)}
    return {
        f"sharpness.{model}": found.mean_rise
        for model, found in measured.items()
        if found is not None
    }


def _with_checkpoints(
    comparison: Comparison, model: ModelRef, config: EvaluationConfig
) -> Comparison:
    from tasks.evaluation.checkpoints import checkpoint_change
    from tasks.modeling.checkpoint_losses import read_checkpoint_losses

    losses = read_checkpoint_losses(model.folder)
    change = None if losses is None else checkpoint_change(losses, config)
    return comparison.model_copy(update={"checkpoints": change})


def read_sharpness(predictions: DatasetRef) -> Sharpness | None:
    """Return the sharpness measured with these predictions; None where it was not."""
    from tasks.evaluation.sharpness import ARTIFACT

    path = Path(predictions.folder) / ARTIFACT
    if not path.is_file():
        return None
    return Sharpness.model_validate_json(path.read_text(encoding="utf-8"))
