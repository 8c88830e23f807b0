"""The model half: train, evaluate base against tuned, judge."""

from prefect import flow

from data_contracts.base import Result
from data_contracts.results import Comparison, ModelRef, Verdict
from flows.build_dataset import BuiltDataset
from flows.config import PipelineConfig
from tasks.evaluation.task import compare_models, evaluate
from tasks.promotion.task import judge_model
from tasks.tracking import RunContext
from tasks.training.task import train


class JudgedModel(Result):
    """A tuned model with everything that was found out about it."""

    model: ModelRef
    comparison: Comparison
    verdict: Verdict


@flow(name="fine-tune")
def fine_tune(config: PipelineConfig, dataset: BuiltDataset, context: RunContext) -> JudgedModel:
    """Train, evaluate base and tuned model on the same rows, judge."""
    model = train(dataset.examples, dataset.base, config.training, context)
    base_scores = evaluate(dataset.base, dataset.examples, config.evaluation, context)
    tuned_scores = evaluate(model, dataset.examples, config.evaluation, context)
    comparison = compare_models(base_scores, tuned_scores, config.evaluation, context)
    verdict = judge_model(comparison, dataset.certificate, dataset.stages, config.gate, context)
    return JudgedModel(model=model, comparison=comparison, verdict=verdict)
