"""How long a step takes here: ten of them, timed, on rows of the stated shape."""

import random
import time
from pathlib import Path
from statistics import median
from typing import Any

from transformers import TrainerCallback, TrainingArguments

from data_contracts.base import Result
from data_contracts.errors import TrainingError
from data_contracts.results import BaseModelRef, TrainingPoint
from tasks.estimation.config import RunShape
from tasks.modeling.base_model import load_model, load_tokenizer
from tasks.modeling.chat import IGNORED, EncodedExample
from tasks.training.config import TrainingConfig
from tasks.training.method import TrainingMethod
from tasks.training.train import peak_memory
from tasks.training.trainer import SupervisedTrainer

STEPS = 10
# The first steps allocate memory and choose kernels; they are run and not counted.
WARM_UP = 2


class StepTime(Result):
    """What a step costs on this machine."""

    seconds: float  # a step: the median
    steps: int  # that were timed
    tokens_per_second: float
    peak_memory_bytes: int

    def whole(self, rows: int, epochs: float, shape: RunShape) -> float:
        """Return the seconds of a run of so many rows of this shape, validation not counted."""
        return self.seconds * epochs * rows / (shape.batch_size * shape.gradient_accumulation)


def probe_steps(
    base: BaseModelRef, method: TrainingMethod, shape: RunShape, folder: Path
) -> StepTime:
    """Train ten steps on random tokens and time them; the model is not kept.

    Args:
        base: The model; its weights are loaded, in the type it is held in.
        method: The training method.
        shape: Batch, length and supervised tokens of a row; the rest as Temper trains.
        folder: For the trainer's files.

    Raises:
        TrainingError: The shape is not one that Temper trains by on one machine.
    """
    if shape.devices > 1 or shape.quantisation != "none":
        raise TrainingError(
            "A probe trains on this machine as Temper trains: with devices=1 and "
            "quantisation=none in --shape. To quantise, take the method qlora."
        )
    tokenizer = load_tokenizer(base)
    model = method.prepare(load_model(base, **method.base_options()))
    config = _config(method, shape)
    rows = _rows(len(tokenizer), shape, config.batch_size * config.gradient_accumulation)
    timer = _Timer()
    pad = int(tokenizer.pad_token_id or 0)
    trainer = SupervisedTrainer(model, config, rows, rows[:1], pad, folder, _ignore)
    trainer.add_callback(timer)
    trainer.start(base)
    trainer.train()
    seconds = median(timer.seconds[WARM_UP:])
    tokens = shape.sequence_length * config.batch_size * config.gradient_accumulation
    return StepTime(
        seconds=seconds,
        steps=len(timer.seconds) - WARM_UP,
        tokens_per_second=tokens / seconds,
        peak_memory_bytes=peak_memory(),
    )


def _config(method: TrainingMethod, shape: RunShape) -> TrainingConfig:
    return TrainingConfig(
        method=method,
        batch_size=shape.batch_size,
        gradient_accumulation=shape.gradient_accumulation,
        gradient_checkpointing=shape.gradient_checkpointing,
        max_length=max(16, shape.sequence_length),
        epochs=1,
        evaluations_per_epoch=1,  # once, after the last step
    )


def _rows(vocabulary: int, shape: RunShape, in_step: int) -> list[EncodedExample]:
    """Return random rows for all steps; what tokens say changes no time."""
    draw = random.Random(0)  # noqa: S311 - nothing to protect
    length = max(2, shape.sequence_length)
    supervised = min(shape.supervised_tokens or length, length - 1)
    rows = []
    for _ in range(in_step * (STEPS + WARM_UP)):
        ids = tuple(draw.randrange(vocabulary) for _ in range(length))
        hidden = length - supervised
        rows.append(EncodedExample(ids, (IGNORED,) * hidden + ids[hidden:]))
    return rows


def _ignore(_point: TrainingPoint) -> None:
    return


class _Timer(TrainerCallback):  # type: ignore[misc]
    """Takes the time of each step, whole: all its forward passes and the optimizer's step."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self._started = 0.0

    def on_step_begin(self, args: TrainingArguments, state: Any, control: Any, **_: Any) -> None:
        """Start the clock."""
        self._started = time.perf_counter()

    def on_step_end(self, args: TrainingArguments, state: Any, control: Any, **_: Any) -> None:
        """Stop it, once the accelerator has done its work."""
        import torch

        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.seconds.append(time.perf_counter() - self._started)
