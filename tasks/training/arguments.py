"""The training configuration in the words of transformers' trainer."""

import math
from pathlib import Path

import torch
from transformers import TrainingArguments

from tasks.training.base_precision import computing_type
from tasks.training.config import TrainingConfig
from tasks.training.recomputation import checkpoint_options

# Temper's names of optimizers and transformers'.
_OPTIMIZERS = {
    "adamw": "adamw_torch_fused",
    "adamw_8bit": "adamw_8bit",
    "paged_adamw_8bit": "paged_adamw_8bit",
    "adafactor": "adafactor",
}


def steps_per_epoch(rows: int, config: TrainingConfig) -> int:
    """Return the optimizer steps of one pass over `rows` training rows."""
    batches = math.ceil(rows / config.batch_size)
    return math.ceil(batches / config.gradient_accumulation)


def total_steps(rows: int, config: TrainingConfig) -> int:
    """Return the optimizer steps of a run that is not stopped early."""
    whole = math.ceil(steps_per_epoch(rows, config) * config.epochs)
    return config.max_steps if config.max_steps > 0 else whole


def training_arguments(
    config: TrainingConfig, folder: Path, steps_in_epoch: int, total: int, halved: bool = False
) -> TrainingArguments:
    """Return the arguments of transformers' trainer.

    Args:
        config: Options of training.
        folder: Where checkpoints go.
        steps_in_epoch: Optimizer steps of one pass.
        total: Optimizer steps of the run, at most.
        halved: Whether the base is in bfloat16: then the rest computes in it, too.
    """
    alone = not torch.accelerator.is_available()
    computed_in = "bfloat16" if halved else computing_type()
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
        optim=_OPTIMIZERS[_available(config.optimizer)],
        activation_checkpointing=config.gradient_checkpointing != "none",
        activation_checkpointing_kwargs=checkpoint_options(config.gradient_checkpointing),
        max_grad_norm=config.max_grad_norm,
        neftune_noise_alpha=config.neftune_alpha or None,
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
        # `batch_size` rows are shared among the processes, however many there are.
        accelerator_config={"split_batches": True},
        use_cpu=alone and (config.processes > 1 or halved),  # else no gloo, and no bfloat16
        bf16=computed_in == "bfloat16",
        fp16=computed_in == "float16",  # with a scaled loss: small gradients would vanish in it
        seed=config.seed,
        data_seed=config.seed,
    )


def _available(optimizer: str) -> str:
    """Return the optimizer that the machine has: without an accelerator there is no paging."""
    paged = optimizer == "paged_adamw_8bit"
    return "adamw_8bit" if paged and not torch.cuda.is_available() else optimizer
