"""What the trainer calls while it runs: the method after each step, and a report of progress."""

import logging
import time
from collections.abc import Callable, Iterable
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.trainer_callback import ExportableState

from data_contracts.results import TrainingPoint
from tasks.training.method import TrainingMethod

logger = logging.getLogger(__name__)


class AfterStep(TrainerCallback):  # type: ignore[misc]
    """Calls the method after each optimizer step."""

    def __init__(self, method: TrainingMethod) -> None:
        self.method = method

    def on_optimizer_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **options: Any
    ) -> None:
        """Pass on the model and the number of the step, counted from zero."""
        self.method.after_step(options["model"], state.global_step)


class TimeSpent(TrainerCallback, ExportableState):  # type: ignore[misc]
    """Counts the seconds of training; those before an interruption go on counting.

    A checkpoint holds its state, and the trainer makes another of it when it goes on.
    """

    def __init__(self) -> None:
        self.seconds = self.processor_seconds = 0.0  # until the checkpoint
        self._started = time.monotonic(), time.process_time()

    def spent(self) -> tuple[float, float]:
        """Return seconds of the clock and of the processor."""
        wall, processor = self._started
        return (
            self.seconds + time.monotonic() - wall,
            self.processor_seconds + time.process_time() - processor,
        )

    def state(self) -> dict[str, dict[str, float]]:
        """Return what a checkpoint keeps."""
        seconds, processor = self.spent()
        return {"args": {}, "attributes": {"seconds": seconds, "processor_seconds": processor}}


def time_spent(callbacks: Iterable[TrainerCallback]) -> tuple[float, float]:
    """Return what the one among a trainer's callbacks has counted."""
    return next(each for each in callbacks if isinstance(each, TimeSpent)).spent()


class Progress(TrainerCallback):  # type: ignore[misc]
    """Turns the trainer's log into points, and says how far it is."""

    def __init__(self, on_point: Callable[[TrainingPoint], None]) -> None:
        self.on_point = on_point
        self.started, self.first_step = time.monotonic(), 0

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Remember where this process took over."""
        self.started, self.first_step = time.monotonic(), state.global_step

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **_: Any,
    ) -> None:
        """Pass on what was measured."""
        point = point_of({**(logs or {}), "step": state.global_step, "epoch": state.epoch or 0.0})
        if point is None or not state.is_world_process_zero:
            return
        self.on_point(point)
        done = state.global_step - self.first_step
        seconds = (time.monotonic() - self.started) / max(done, 1)
        left = seconds * (state.max_steps - state.global_step)
        values = [("train loss", point.train_loss), ("validation loss", point.validation_loss)]
        losses = ", ".join(f"{name} {value:.3f}" for name, value in values if value is not None)
        logger.info(
            "step %d of at most %d, epoch %.2f: %s; at most %.1f minutes left",
            state.global_step,
            state.max_steps,
            point.epoch,
            losses,
            left / 60,
        )


def point_of(log: dict[str, Any]) -> TrainingPoint | None:
    """Return a point from an entry of the trainer's log, None for its closing summary."""
    if "loss" not in log and "eval_loss" not in log:
        return None
    return TrainingPoint(
        step=int(log["step"]),
        epoch=float(log["epoch"]),
        train_loss=log.get("loss"),
        validation_loss=log.get("eval_loss"),
        learning_rate=log.get("learning_rate"),
    )
