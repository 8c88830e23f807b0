"""The model half: train, evaluate base against tuned, judge."""

import logging

from prefect import flow

from data_contracts.base import Result
from data_contracts.dataset import DatasetRef
from data_contracts.errors import ExportError
from data_contracts.results import (
    Comparison,
    ExportRef,
    Memorisation,
    ModelRef,
    Robustness,
    Verdict,
)
from flows.anchors import require_apart_anchors
from flows.build_dataset import BuiltDataset
from flows.config import PipelineConfig
from flows.memory import require_fit
from tasks.evaluation.task import (
    compare_examined,
    compare_models,
    evaluate,
    examine,
    judge_answers,
)
from tasks.exporting.task import export_tuned
from tasks.memorisation.task import measure_memorisation
from tasks.promotion.prospects import why_undecided
from tasks.promotion.task import judge_model, lineage_of
from tasks.robustness.task import measure_robustness
from tasks.tracking import RunContext
from tasks.training.task import train

logger = logging.getLogger(__name__)


class JudgedModel(Result):
    """A tuned model with everything that was found out about it."""

    model: ModelRef
    scores: DatasetRef  # predictions of the tuned model
    comparison: Comparison
    memorisation: Memorisation | None  # None where it was not measured
    robustness: Robustness | None  # likewise
    exports: tuple[ExportRef, ...]
    verdict: Verdict


@flow(name="fine-tune")
def fine_tune(config: PipelineConfig, dataset: BuiltDataset, context: RunContext) -> JudgedModel:
    """Train, export, evaluate base and tuned model on the same rows, judge.

    Raises:
        TrainingError: Training will not fit into memory, or would hold on to texts that retention
            is measured on; nothing was loaded.
    """
    require_apart_anchors(config.training, config.evaluation)
    require_fit(config.training, dataset, context.home)
    undecided = why_undecided(dataset.test_rows, config.evaluation.test_rows, config.judged_by)
    if undecided:
        logger.warning(undecided)
    model = train(dataset.examples, dataset.base, config.training, context)
    exports = tuple(export_tuned(model, form, context) for form in config.exports)
    return judge_tuned(model, config, dataset, context, exports)


def judge_tuned(
    model: ModelRef,
    config: PipelineConfig,
    dataset: BuiltDataset,
    context: RunContext,
    exports: tuple[ExportRef, ...] = (),
) -> JudgedModel:
    """Evaluate and examine a tuned model and its own base on the same rows, judge."""
    options = config.evaluation
    base_scores = evaluate(model.base, dataset.examples, options, context)
    tuned_scores = evaluate(model, dataset.examples, options, context)
    comparison = compare_models(
        base_scores,
        tuned_scores,
        dataset.examples,
        dataset.certificate,
        options,
        context,
        dataset.stage("ingestion"),
        model,
    )
    if options.examinations:
        chunks = dataset.stage("chunking")
        base, tuned = (
            examine(m, dataset.examples, chunks, options, context) for m in (model.base, model)
        )
        comparison = compare_examined(comparison, base, tuned, options, context)
    if options.judge is not None:
        comparison = judge_answers(comparison, base_scores, tuned_scores, options, context)
    memory = measure_memorisation(model, dataset.examples, config.memorisation, context)
    robustness = measure_robustness(model, dataset.examples, config.robustness, context)
    verdict = judge_model(
        comparison,
        dataset.certificate,
        dataset.stages,
        config.judged_by,
        context,
        memorisation=memory,
        export_parity=[export.parity for export in exports],
        lineage=lineage_of(model, base_scores, tuned_scores),
    )
    return JudgedModel(
        model=model,
        scores=tuned_scores,
        comparison=comparison,
        memorisation=memory,
        robustness=robustness,
        exports=exports,
        verdict=verdict,
    )


def require_parity(exports: tuple[ExportRef, ...]) -> None:
    """Refuse a model of which an export answers otherwise than it does itself.

    Raises:
        ExportError: One does; its files stay, to be looked into.
    """
    for export in exports:
        parity = export.parity
        if not parity.passed:
            raise ExportError(
                f"The export as {export.form} in {export.precision} does not answer as the model "
                f"does: a log-probability differs by {parity.highest_difference:.2g} nats "
                f"({parity.tolerance:g} allowed), {parity.same_prompts} of {parity.prompts} "
                f"prompts become the same tokens. The model is not registered. See "
                f"{export.folder / 'export.json'}; a higher precision under `exports` may pass."
            )
