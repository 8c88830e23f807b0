"""Temper's trainer: transformers' `Trainer` with the loss computed where labels are.

What differs from the parent: logits only at supervised positions, validation loss
weighted by token, an order of rows that a resumed run repeats, checkpoints that hold what the
method trains and nothing else, mitigations of forgetting, and progress in plain words.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils.data import DataLoader, Sampler
from transformers import (
    EarlyStoppingCallback,
    PrinterCallback,
    Trainer,
    TrainerControl,
)
from transformers.trainer import SCHEDULER_NAME

from data_contracts.errors import TrainingError
from data_contracts.results import BaseModelRef, TrainingPoint
from tasks.modeling.base_model import load_model
from tasks.modeling.chat import EncodedExample
from tasks.modeling.supervised import Batch, collate, token_losses
from tasks.training.anchors import Anchors
from tasks.training.arguments import steps_per_epoch, total_steps, training_arguments
from tasks.training.base_precision import in_bfloat16
from tasks.training.callbacks import AfterStep, Progress, TimeSpent
from tasks.training.config import TrainingConfig
from tasks.training.guards import Guards
from tasks.training.mitigation import Run
from tasks.training.packing import pack
from tasks.training.row_losses import Row, as_rows, numbered, per_token, save_row_losses
from tasks.training.sampling import LengthGroupedSampler
from tasks.training.sharding import (
    is_sharded,
    load_optimizer,
    reshard,
    save_optimizer,
    spread,
    whole,
)
from tasks.training.sharing import SharedOut, with_blank, without_blanks

# What a checkpoint holds of the model.
STATE = "method_state.safetensors"


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
        stages: When each training row has its turn within an epoch (see `stages_of`).
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
        stages: Sequence[int] = (),
    ) -> None:
        self.control: TrainerControl
        self.optimizer: Any  # accelerate wraps it
        self.config, self.pad_token_id = config, pad_token_id
        self.row_losses: Tensor | None = None  # of the newest evaluation
        self.guards = Guards(config.mitigations)
        self.guards.prepare(model)
        self.lengths, self.stages = [len(row.input_ids) for row in train], stages
        steps = steps_per_epoch(len(train), config)
        super().__init__(
            model=model,
            args=training_arguments(
                config, folder, steps, total_steps(len(train), config), in_bfloat16(model)
            ),
            data_collator=self._collate,
            train_dataset=as_rows(with_blank(train, pad_token_id)),
            eval_dataset=numbered(with_blank(validation, pad_token_id)),
            callbacks=[
                EarlyStoppingCallback(early_stopping_patience=config.patience),
                Progress(on_point),
                TimeSpent(),
                self.guards,
                AfterStep(config.method),  # the method has the last word on its parameters
            ],
        )
        self.remove_callback(PrinterCallback)  # it prints; `Progress` logs
        # Tells the parent that the loss below is already divided by the whole step's tokens,
        # so that accumulation equals the larger batch exactly.
        self.model_accepts_loss_kwargs = True
        # A sharded model reduces its gradients itself: not to be wrapped for that once more.
        self.is_distributed_loading_by_transformers = is_sharded(model)

    def _collate(self, rows: list[Row]) -> dict[str, Tensor]:
        encoded = [EncodedExample(tuple(r["input_ids"]), tuple(r["labels"])) for r in rows]
        # Evaluation and a method's preparation, which run in that mode, take rows one by one.
        packs = self.config.packing and self.model.training
        batch = (pack if packs else collate)(without_blanks(encoded), self.pad_token_id).tensors()
        if "number" not in rows[0]:
            return batch
        numbers = torch.tensor([row["number"][0] for row in rows])  # blank rows are the last ones
        return {**batch, "number": numbers[: len(batch["labels"])]}

    def _losses(
        self, model: nn.Module, inputs: dict[str, Tensor], smoothing: float
    ) -> tuple[Tensor, Tensor]:
        batch = Batch(
            inputs["input_ids"],
            inputs.get("attention_mask"),
            inputs["labels"],
            inputs.get("position_ids"),
        )
        return token_losses(model, batch, smoothing)

    def _get_train_sampler(self, train_dataset: Any = None) -> Sampler[int]:
        rows = LengthGroupedSampler(
            self.lengths, self.config.batch_size, self.config.seed, self.stages
        )
        return self._shared(rows, len(self.lengths), self.args.world_size)

    def _get_eval_sampler(self, eval_dataset: Any) -> Sampler[int]:
        count = len(eval_dataset) - 1  # the blank row
        return self._shared(range(count), count, self.args.world_size)

    def _shared(self, rows: Sampler[int] | range, count: int, processes: int) -> SharedOut:
        return SharedOut(rows, count, self.config.batch_size, processes)

    def start(self, base: BaseModelRef, anchors: Anchors | None = None) -> None:
        """Let method and mitigations finish their preparation; call once, before `train`.

        Args:
            base: What the model was prepared from.
            anchors: Texts for mitigations that need some.
        """
        method = self.config.method
        method.start(self.model, self._batches(), self.total_steps)
        self.guards.start(
            Run(
                model=self.model,
                anchors=anchors,
                load_base=partial(load_model, base, **method.base_options()),
                starts_as_base=method.identity_at_start,
                adapter=method.unloads,
                validation_loss=self.validation_loss,
            )
        )

    @property
    def total_steps(self) -> int:
        """Optimizer steps of the whole run, at most."""
        return total_steps(len(self.lengths), self.config)

    def _batches(self) -> Iterator[dict[str, Tensor]]:
        """Yield whole batches: each process prepares the same."""
        rows = self._get_train_sampler()
        loader = DataLoader(
            self.train_dataset, self.config.batch_size, sampler=rows, collate_fn=self._collate
        )
        for inputs in loader:
            yield self._prepare_inputs(inputs)

    def create_optimizer(self, model: nn.Module | None = None) -> Optimizer:
        """Return the method's own optimizer, or the usual one."""
        if self.optimizer is None:
            kind, options = self.get_optimizer_cls_and_kwargs(self.args, self.model)
            options = {**options, "weight_decay": self.args.weight_decay}
            self.optimizer = self.config.method.optimizer(self.model, kind, options)
        made: Optimizer = self.optimizer or super().create_optimizer(model)
        return made

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        folder, state = Path(output_dir or self.args.output_dir), self.method_state()
        if self.args.should_save:
            folder.mkdir(parents=True, exist_ok=True)
            save_file({name: value.contiguous() for name, value in state.items()}, folder / STATE)
            if self.row_losses is not None:
                save_row_losses(self.row_losses, folder)
            self.guards.save(folder)

    def save_model(self, output_dir: str | None = None, _internal_call: bool = False) -> None:
        """Write what the method trains."""
        self._save(output_dir)

    def method_state(self) -> dict[str, Tensor]:
        """Return what a checkpoint must hold of the model; all processes must call it."""
        reshard(self.model)
        return whole(self.config.method.state(self.model))

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        state = load_file(Path(resume_from_checkpoint) / STATE)
        reshard(self.model)
        self.config.method.restore(self.model, spread(self.model, state))
        self.guards.load(Path(resume_from_checkpoint))

    def _save_optimizer_and_scheduler(self, output_dir: str) -> None:
        if not is_sharded(self.model):
            super()._save_optimizer_and_scheduler(output_dir)
            return
        save_optimizer(self.model, self.optimizer, Path(output_dir), self.args.should_save)
        if self.args.should_save:
            torch.save(self.lr_scheduler.state_dict(), Path(output_dir) / SCHEDULER_NAME)

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        if checkpoint is None or not is_sharded(self.model):
            super()._load_optimizer_and_scheduler(checkpoint)
            return
        load_optimizer(self.model, self.optimizer, Path(checkpoint))
        schedule = torch.load(Path(checkpoint) / SCHEDULER_NAME, weights_only=True)
        self.lr_scheduler.load_state_dict(schedule)

    def _load_best_model(self) -> None:
        self._load_from_checkpoint(self.state.best_model_checkpoint)

    def training_step(
        self, model: nn.Module, inputs: dict[str, Any], num_items_in_batch: Any = None
    ) -> Tensor:
        """Go forward and backward through a batch, as the mitigations want it."""
        once = partial(super().training_step, model, inputs, num_items_in_batch)
        return self.guards.backward(once)

    def compute_loss(
        self,
        model: nn.Module,
        inputs: dict[str, Tensor],
        return_outputs: bool = False,
        num_items_in_batch: Tensor | int | None = None,
    ) -> Tensor:
        """Return the mean loss per supervised token of the whole step, in nats."""
        losses, _ = self._losses(model, inputs, self.config.label_smoothing)
        count = num_items_in_batch if num_items_in_batch is not None else losses.numel()
        # The mean of the processes' gradients is taken: each part counts as often as there are.
        loss: Tensor = losses.sum() / count * self.args.world_size
        if not torch.isfinite(loss):
            raise TrainingError(
                f"The loss is {loss.item()} at step {self.state.global_step}. Lower "
                "training.learning_rate (now "
                f"{self.config.peak_learning_rate:g}) or training.max_grad_norm."
            )
        guarded = self.guards.penalties(self.state.global_step)
        for penalty in (self.config.method.penalty(self.model), self._l1(self.model), *guarded):
            if penalty is not None:
                loss = loss + penalty / self.args.gradient_accumulation_steps
        return loss

    def _l1(self, model: nn.Module) -> Tensor | None:
        if not self.config.l1:
            return None
        sizes = [p.abs().sum() for p in model.parameters() if p.requires_grad]
        return self.config.l1 * torch.stack(sizes).sum()

    def evaluate(
        self, eval_dataset: Any = None, ignore_keys: Any = None, metric_key_prefix: str = "eval"
    ) -> dict[str, float]:
        """Return validation loss: the mean over all supervised tokens, not over batches."""
        self.row_losses = self._validation_losses(eval_dataset)
        loss = per_token(self.row_losses)
        metrics = {f"{metric_key_prefix}_loss": loss, "epoch": self.state.epoch or 0.0}
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(
            self.args, self.state, self.control, metrics
        )
        return metrics

    def validation_loss(self, eval_dataset: Any = None) -> float:
        """Return the mean loss per supervised token of the validation rows, in nats."""
        return per_token(self._validation_losses(eval_dataset))

    def _validation_losses(self, eval_dataset: Any = None) -> Tensor:
        """Return each validation row's summed loss and its tokens, shape (rows, 2)."""
        loader = self.get_eval_dataloader(eval_dataset)
        found = torch.zeros(len(eval_dataset or self.eval_dataset), 2, dtype=torch.float64)
        self.model.eval()
        with torch.no_grad():
            for inputs in loader:
                losses, place = self._losses(self.model, self._prepare_inputs(inputs), 0.0)
                losses = losses.double().cpu()
                rows = inputs["number"].cpu()[place.cpu()]
                found.index_add_(0, rows, torch.stack([losses, torch.ones_like(losses)], dim=1))
        self.model.train()
        if self.args.world_size > 1:
            found = self.accelerator.reduce(found.to(self.args.device)).cpu()
        return found[:-1]  # the blank row
