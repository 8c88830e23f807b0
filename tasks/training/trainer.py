"""Temper's trainer: transformers' `Trainer` with the loss computed where labels are.

What differs from the parent: logits only at supervised positions, validation loss
weighted by token, an order of rows that a resumed run repeats, and progress in plain words.
"""

import logging
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import Sampler
from transformers import (
    EarlyStoppingCallback,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)

from data_contracts.errors import TrainingError
from data_contracts.results import TrainingPoint
from tasks.modeling.chat import EncodedExample
from tasks.modeling.supervised import Batch, collate, token_losses
from tasks.training.config import TrainingConfig
from tasks.training.sampling import LengthGroupedSampler

logger = logging.getLogger(__name__)

Row = dict[str, Sequence[int]]


class SupervisedTrainer(Trainer):  # type: ignore[misc]
    """Trains on encoded rows.

    Args:
        model: With the method's parameters requiring gradients.
        config: Options of training.
        train: Training rows.
        validation: Rows that decide when to stop and which checkpoint is best.
        pad_token_id: Fills short rows of a batch; never a label.
        folder: Where checkpoints go.
        on_point: Called with every measured moment.
    """

    def __init__(
        self,
        model: nn.Module,
        config: TrainingConfig,
        train: Sequence[EncodedExample],
        validation: Sequence[EncodedExample],
        pad_token_id: int,
        folder: Path,
        on_point: Callable[[TrainingPoint], None],
    ) -> None:
        self.control: TrainerControl
        self.config, self.pad_token_id = config, pad_token_id
        self.lengths = [len(row.input_ids) for row in train]
        steps = steps_per_epoch(len(train), config)
        super().__init__(
            model=model,
            args=_arguments(config, folder, steps),
            data_collator=self._collate,
            train_dataset=[_as_row(row) for row in train],
            eval_dataset=[_as_row(row) for row in validation],
            callbacks=[
                EarlyStoppingCallback(early_stopping_patience=config.patience),
                _Progress(on_point),
            ],
        )
        self.remove_callback(PrinterCallback)  # it prints; `_Progress` logs
        # Tells the parent that the loss below is already divided by the whole step's tokens,
        # so that accumulation equals the larger batch exactly.
        self.model_accepts_loss_kwargs = True

    def _collate(self, rows: list[Row]) -> dict[str, Tensor]:
        encoded = [EncodedExample(tuple(r["input_ids"]), tuple(r["labels"])) for r in rows]
        batch = collate(encoded, self.pad_token_id)
        return {
            "input_ids": batch.input_ids,
            "attention_mask": batch.attention_mask,
            "labels": batch.labels,
        }

    def _get_train_sampler(self, train_dataset: Any = None) -> Sampler[int]:
        return LengthGroupedSampler(self.lengths, self.args.train_batch_size, self.config.seed)

    def compute_loss(
        self,
        model: nn.Module,
        inputs: dict[str, Tensor],
        return_outputs: bool = False,
        num_items_in_batch: Tensor | int | None = None,
    ) -> Tensor:
        """Return the mean loss per supervised token of the whole step, in nats."""
        losses, _rows = token_losses(model, Batch(**inputs))
        count = num_items_in_batch if num_items_in_batch is not None else losses.numel()
        loss = losses.sum() / count
        if not torch.isfinite(loss):
            raise TrainingError(
                f"The loss is {loss.item()} at step {self.state.global_step}. Lower "
                "training.learning_rate (now "
                f"{self.config.peak_learning_rate:g}) or training.max_grad_norm."
            )
        return loss

    def evaluate(
        self, eval_dataset: Any = None, ignore_keys: Any = None, metric_key_prefix: str = "eval"
    ) -> dict[str, float]:
        """Return validation loss: the mean over all supervised tokens, not over batches."""
        loader = self.get_eval_dataloader(eval_dataset)
        total, count = 0.0, 0
        self.model.eval()
        with torch.no_grad():
            for inputs in loader:
                losses, _rows = token_losses(self.model, Batch(**self._prepare_inputs(inputs)))
                total, count = total + losses.sum().item(), count + losses.numel()
        self.model.train()
        metrics = {f"{metric_key_prefix}_loss": total / count, "epoch": self.state.epoch or 0.0}
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(
            self.args, self.state, self.control, metrics
        )
        return metrics


def steps_per_epoch(rows: int, config: TrainingConfig) -> int:
    """Return the optimizer steps of one pass over `rows` training rows."""
    batches = math.ceil(rows / config.batch_size)
    return math.ceil(batches / config.gradient_accumulation)


def _as_row(encoded: EncodedExample) -> Row:
    return {"input_ids": encoded.input_ids, "labels": encoded.labels}


def _arguments(config: TrainingConfig, folder: Path, steps_in_epoch: int) -> TrainingArguments:
    total = config.max_steps if config.max_steps > 0 else math.ceil(steps_in_epoch * config.epochs)
    every = max(1, steps_in_epoch // config.evaluations_per_epoch)
    return TrainingArguments(
        output_dir=str(folder),
        per_device_train_batch_size=config.batch_size,
        per_device_eval_batch_size=config.batch_size,
        gradient_accumulation_steps=config.gradient_accumulation,
        num_train_epochs=config.epochs,
        max_steps=config.max_steps,
        learning_rate=config.peak_learning_rate,
        lr_scheduler_type=config.schedule,
        warmup_steps=round(config.warmup_share * total),
        weight_decay=config.weight_decay,
        max_grad_norm=config.max_grad_norm,
        eval_strategy="steps",
        eval_steps=every,
        save_strategy="steps",
        save_steps=every,
        save_total_limit=2,  # the best and the last
        load_best_model_at_end=True,
        metric_for_best_model="eval_loss",
        greater_is_better=False,
        restore_callback_states_from_checkpoint=True,  # patience goes on counting
        logging_steps=max(1, every // 4),
        logging_nan_inf_filter=False,
        report_to="none",  # the stage logs to MLflow itself
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_pin_memory=torch.cuda.is_available(),
        bf16=torch.cuda.is_available() and torch.cuda.is_bf16_supported(),
        seed=config.seed,
        data_seed=config.seed,
    )


class _Progress(TrainerCallback):  # type: ignore[misc]
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
        if point is None:
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
