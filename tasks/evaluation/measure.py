"""Everything that evaluation finds out about one model: loaded once, measured, measured again."""

import logging
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
from torch import nn

from data_contracts.dataset import StageResult
from data_contracts.front import Sharpness
from data_contracts.results import BaseModelRef, ModelRef
from tasks.evaluation.config import EvaluationConfig
from tasks.evaluation.general import GeneralSets
from tasks.evaluation.noise import ARTIFACT, floors_to_json, noise_floors, repetition
from tasks.evaluation.predict import of_split, predict, training_losses
from tasks.evaluation.remembered import Memory, base_memory
from tasks.evaluation.sharpness import ARTIFACT as SHARPNESS
from tasks.evaluation.sharpness import sharpness
from tasks.evaluation.timing import timed
from tasks.memo import Memo
from tasks.modeling.anchor_texts import ANCHORS, read_anchor_texts, require_apart
from tasks.modeling.tuned import load_any, training_method

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

logger = logging.getLogger(__name__)


def measure(
    model: BaseModelRef | ModelRef,
    examples: pa.Table,
    general: GeneralSets,
    config: EvaluationConfig,
    split: str | None,
    cache: Path,
) -> StageResult:
    """Measure one model, and how much of it is noise; with its sharpness where it is asked for.

    Args:
        model: Base or tuned.
        examples: The rows.
        general: General skills and text.
        config: What is measured.
        split: Measure this split's rows alone; all of them if None.
        cache: Where a base model's measurements are kept; a tuned one is new each time.

    Raises:
        TrainingError: Retention would be measured on texts that a mitigation held on to.
        ModelError: The model cannot be loaded, or gives losses that are not finite.
    """
    _require_apart(model, general)  # before the model: a wrong file should not cost a minute
    kept = isinstance(model, BaseModelRef)
    logger.info("evaluation: measuring the %s", "base model" if kept else "tuned model")
    loading: dict[str, float] = {}
    with timed(loading, "loading"):
        loaded, tokenizer = load_any(model)
    seen = examples if split is None else of_split(examples, split)
    with base_memory(cache, model.measured_as, split) if kept else nullcontext() as memo:
        found = predict(loaded, tokenizer, seen, general, config, Memory(memo, "first"))
        found = replace(found, figures={**loading, **found.figures})
        if config.noise_rows:
            found = _with_noise(found, loaded, tokenizer, seen, general, config, memo)
    if config.sharpness.directions:  # last: it merges the adapter
        found = _with_sharpness(found, _sharpness(model, loaded, tokenizer, examples, config))
    return found


def _require_apart(model: BaseModelRef | ModelRef, general: GeneralSets) -> None:
    """Refuse to measure retention on texts that a mitigation held the model in place on."""
    path = model.folder / ANCHORS
    if path.is_file():
        require_apart(read_anchor_texts(path), general.measured, str(path))


def _with_noise(
    found: StageResult,
    loaded: nn.Module,
    tokenizer: "PreTrainedTokenizerBase",
    seen: pa.Table,
    general: GeneralSets,
    config: EvaluationConfig,
    memo: Memo | None,
) -> StageResult:
    """Return a result with what measuring some of its rows again changes."""
    seconds: dict[str, float] = {}
    with timed(seconds, "noise"):
        again = measure_again(loaded, tokenizer, seen, general, config, memo)
        floors = noise_floors(found.kept, again, config)
    return _with(found, seconds, ARTIFACT, floors_to_json(floors))


def measure_again(
    model: nn.Module,
    tokenizer: "PreTrainedTokenizerBase",
    examples: pa.Table,
    general: GeneralSets,
    config: EvaluationConfig,
    memo: Memo | None = None,
) -> pa.Table:
    """Return predictions of some of the rows, batched in another order and in smaller batches.

    Args:
        model: Of which the rows were measured.
        tokenizer: Its tokenizer.
        examples: The rows.
        general: General skills and text.
        config: By which they were measured; its seed draws the order.
        memo: Where a base model's measurements are kept.
    """
    memory = Memory(memo, f"again, order {config.seed}")
    few = repetition(config)
    return predict(model, tokenizer, examples, general, few, memory, order=config.seed).kept


def _with(found: StageResult, figures: dict[str, float], name: str, text: str) -> StageResult:
    """Return a result with further figures and one more file."""
    return replace(
        found, figures={**found.figures, **figures}, artifacts={**found.artifacts, name: text}
    )


def _with_sharpness(found: StageResult, sharp: Sharpness | None) -> StageResult:
    if sharp is None:
        return found
    figures = {"sharpness.mean_rise": sharp.mean_rise, "sharpness.max_rise": sharp.max_rise}
    return _with(found, figures, SHARPNESS, sharp.model_dump_json())


def _sharpness(
    model: BaseModelRef | ModelRef,
    loaded: nn.Module,
    tokenizer: "PreTrainedTokenizerBase",
    examples: pa.Table,
    config: EvaluationConfig,
) -> Sharpness | None:
    """Measure on the weights that answer: an adapter is merged; None where none can be."""
    if getattr(loaded, "is_loaded_in_4bit", False):
        logger.info("evaluation: sharpness is not measured: no small step moves weights of 4 bits")
        return None
    base = model if isinstance(model, BaseModelRef) else model.base
    if base.held_in != "float32":
        loaded = loaded.float()  # of a small step, and of the adapter, 16 bits would lose a part
    if isinstance(model, ModelRef):
        method = training_method(model)
        if not method.merges:
            return None
        loaded = method.merge(loaded).eval()
    loss = training_losses(loaded, tokenizer, examples, config)
    told = config.sharpness
    return sharpness(loaded, loss, told.radius, told.directions, config.seed)
