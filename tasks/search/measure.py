"""Trains with some options and measures what became of the model."""

import math
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import torch

from data_contracts.errors import StorageError, TrainingError
from data_contracts.results import BaseModelRef, TrainingPoint, TrainingResult
from tasks.evaluation.config import EvaluationConfig
from tasks.evaluation.general import TextItem
from tasks.evaluation.likelihood import summed_losses
from tasks.evaluation.retention import text_loss
from tasks.modeling.anchor_texts import ANCHORS, read_anchor_texts, require_apart
from tasks.modeling.base_model import load_model, load_tokenizer
from tasks.modeling.tuned import WEIGHTS
from tasks.training.base_precision import held_base
from tasks.training.config import TrainingConfig
from tasks.training.train import encode_split, train_model

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Measured:
    """What training with some options led to.

    Attributes:
        training: How it went.
        loss: On the scored rows, nats per supervised token.
        text: On general text, nats per token; None where no text was given.
    """

    training: TrainingResult
    loss: float
    text: float | None


def measure(
    examples: pa.Table,
    base: BaseModelRef,
    training: TrainingConfig,
    folder: Path,
    on_point: Callable[[TrainingPoint], None],
    evaluation: EvaluationConfig,
    texts: Sequence[TextItem] = (),
) -> Measured:
    """Train on the rows of split `train`, score those of `test` if there are any.

    Args:
        examples: Rows in the EXAMPLE schema. Without test rows the loss is the best one on the
            validation rows; leave them out where they are kept for the verdict.
        base: The model to start from.
        training: The options.
        folder: Of this measurement alone; an interrupted one goes on from its checkpoints.
        on_point: Called with every measured moment; what it raises ends the training.
        evaluation: How text is scored.
        texts: General text.

    Raises:
        TrainingError: Memory ran out, or the loss is not finite.
        StorageError: The disk is full.
    """
    try:
        return _measure(examples, base, training, folder, on_point, evaluation, texts)
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise TrainingError(f"Memory ran out: {error}") from error


def _measure(
    examples: pa.Table,
    base: BaseModelRef,
    training: TrainingConfig,
    folder: Path,
    on_point: Callable[[TrainingPoint], None],
    evaluation: EvaluationConfig,
    texts: Sequence[TextItem],
) -> Measured:
    base = held_base(base, training)
    folder.mkdir(parents=True, exist_ok=True)
    result = train_model(examples, base, training, folder, on_point)
    if (folder / ANCHORS).is_file():
        held = read_anchor_texts(folder / ANCHORS)
        require_apart(held, [item.text for item in texts], str(folder / ANCHORS))
    scored = "test" in examples["split"].to_pylist()
    loss, text = result.best_validation_loss, None
    if scored or texts:
        untouched = load_model(base, **training.method.base_options())
        model = training.method.load(untouched, folder / WEIGHTS).eval()
        loss = answer_loss(model, base, examples, training, evaluation) if scored else loss
        text = text_loss(model, load_tokenizer(base), texts, evaluation) if texts else None
    _require_finite(loss, text)
    return Measured(result, loss, text)


def answer_loss(
    model: "nn.Module",
    base: BaseModelRef,
    examples: pa.Table,
    training: TrainingConfig,
    evaluation: EvaluationConfig,
) -> float:
    """Return the mean loss on the answers of split `test`, in nats per supervised token."""
    tokenizer = load_tokenizer(base)
    rows = encode_split(tokenizer, examples, "test", training)
    losses = summed_losses(
        model,
        rows,
        int(tokenizer.pad_token_id),
        evaluation.scored_tokens_per_forward,
        "Scoring the fold",
    )
    return sum(losses) / sum(len(row.supervised) for row in rows)


def base_text_loss(
    base: BaseModelRef, texts: Sequence[TextItem], evaluation: EvaluationConfig
) -> float:
    """Return the base model's loss on general text, in nats per token."""
    return text_loss(load_model(base).eval(), load_tokenizer(base), texts, evaluation)


def _require_finite(loss: float, text: float | None) -> None:
    if not math.isfinite(loss) or not math.isfinite(text or 0.0):
        raise TrainingError(
            f"It did not converge: loss {loss}, on general text {text}. Search lower learning "
            "rates."
        )


def discard(folder: Path) -> None:
    """Remove what a measurement left; an interrupted one is kept, so that it can go on."""
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        return
    except OSError as error:
        raise StorageError(f"Cannot remove {folder}: {error}. Remove it by hand.") from error
