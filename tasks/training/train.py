"""Trains one model: examples in, a folder with the tuned weights out."""

import gc
import logging
import resource
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import torch
from torch import nn
from transformers import PreTrainedTokenizerBase, set_seed

from data_contracts.errors import StorageError, TooFewRows, TrainingError
from data_contracts.results import BaseModelRef, TrainingPoint, TrainingResult
from tasks.modeling.base_model import WRITE_ERRORS, load_model, load_tokenizer
from tasks.modeling.chat import EncodedExample, check_mask, encode_example
from tasks.modeling.tuned import RESULT, WEIGHTS
from tasks.training.anchors import Anchors, collect_anchors, encode_anchors
from tasks.training.base_precision import held_base
from tasks.training.callbacks import point_of, time_spent
from tasks.training.canaries import with_canaries
from tasks.training.checkpoints import newest_checkpoint
from tasks.training.config import TrainingConfig
from tasks.training.dropout import set_dropout
from tasks.training.mitigation import VALIDATION_LOSS
from tasks.training.packing import check_packing
from tasks.training.row_losses import keep_best_and_last
from tasks.training.sampling import stages_of
from tasks.training.sharding import is_sharded, shard
from tasks.training.termination import checkpoint_before_the_end
from tasks.training.trainer import SupervisedTrainer

if TYPE_CHECKING:
    from collections.abc import Iterable

logger = logging.getLogger(__name__)


def train_model(
    examples: pa.Table,
    base: BaseModelRef,
    config: TrainingConfig,
    folder: Path,
    on_point: Callable[[TrainingPoint], None],
    when_ended: Callable[[], None] = lambda: None,
) -> TrainingResult:
    """Train on the rows of split `train`, stop by the rows of split `validation`.

    An interrupted run that finds its checkpoints in `folder` goes on from the newest one.

    Args:
        examples: Rows in the EXAMPLE schema, with `split` set.
        base: The model to start from.
        config: Method and options.
        folder: Receives `weights/`, tokenizer and `training.json`; checkpoints while it runs.
        on_point: Called with every measured moment.
        when_ended: Called once SIGTERM came and a checkpoint was written, before the run ends.

    Raises:
        TooFewRows: There are no training or no validation rows.
        TrainingError: The label mask is not sound, or the loss is not finite.
        StorageError: A checkpoint or the weights cannot be written.
    """
    base = held_base(base, config)
    tokenizer = load_tokenizer(base)
    examples = with_canaries(examples, config.canaries)
    train, validation = (
        encode_split(tokenizer, examples, split, config) for split in ("train", "validation")
    )
    set_seed(config.seed)  # before the adapter is built: its random half depends on it
    model = _prepared(base, config)
    pad = _pad_token(tokenizer)
    anchors = _anchors(config, base, tokenizer, folder)
    checkpoints = folder / "checkpoints"
    if config.packing:
        check_packing(model, train, pad)
    if config.sharding == "fsdp":
        shard(model)
    stages = stages_of(knowledge_of(examples), config.order, config.seed)
    trainer = SupervisedTrainer(
        model, config, train, validation, pad, checkpoints, on_point, stages
    )
    trainable, total = count_parameters(trainer.model)
    logger.info(
        "training %s: %d rows, %d of %d parameters (%.2f %%), learning rate %g",
        config.method.method,
        len(train),
        trainable,
        total,
        100 * trainable / total,
        config.peak_learning_rate,
    )
    _run(trainer, checkpoints, base, anchors, when_ended)
    try:
        figures = trainer.guards.finish(folder)
        result = _result(trainer, config, train, (trainable, total), figures)
        tuned = _tuned(trainer, base)
        if not trainer.args.should_save:
            return result
        config.method.save(tuned, folder / WEIGHTS)
        tokenizer.save_pretrained(folder)
        keep_best_and_last(
            checkpoints, _validated(result.history), result.best_step, examples, folder
        )
        (folder / RESULT).write_text(result.model_dump_json(indent=2), encoding="utf-8")
        shutil.rmtree(checkpoints)
    except WRITE_ERRORS as error:
        raise _disk(folder, error) from error
    return result


def encode_split(
    tokenizer: PreTrainedTokenizerBase, examples: pa.Table, split: str, config: TrainingConfig
) -> list[EncodedExample]:
    """Encode the rows of one split and prove every label mask.

    Raises:
        TooFewRows: The split is empty.
        TrainingError: A row is too long or its mask is not sound.
    """
    rows = [row for row in examples.to_pylist() if row["split"] == split]
    if not rows:
        raise TooFewRows(
            f"The dataset has no rows in split {split!r}; training needs training and "
            "validation rows. Add documents, or change splitting.train/validation/test."
        )
    encoded = []
    for row in rows:
        encoded.append(encode_example(tokenizer, row, config.max_length, config.every_turn))
        check_mask(tokenizer, row, encoded[-1], config.every_turn)
    return encoded


def knowledge_of(examples: pa.Table) -> list[str | None]:
    """Return the knowledge class of each training row."""
    rows = zip(
        examples.column("split").to_pylist(), examples.column("knowledge").to_pylist(), strict=True
    )
    return [knowledge for split, knowledge in rows if split == "train"]


def _prepared(base: BaseModelRef, config: TrainingConfig) -> nn.Module:
    model = load_model(base, **config.method.base_options())
    if config.model_dropout:
        set_dropout(model, config.model_dropout)
    return config.method.prepare(model)


def _anchors(
    config: TrainingConfig, base: BaseModelRef, tokenizer: PreTrainedTokenizerBase, folder: Path
) -> Anchors | None:
    if not config.needs_anchors:
        return None
    texts = collect_anchors(config.anchors, base, tokenizer, folder)
    rows = encode_anchors(texts, config.anchors, tokenizer)
    return Anchors(rows, _pad_token(tokenizer))


def _tuned(trainer: SupervisedTrainer, base: BaseModelRef) -> nn.Module:
    """Return the trained model in one piece; all processes must call it."""
    trained: nn.Module = trainer.model
    if not is_sharded(trained):
        return trained
    state = trainer.method_state()
    if not trainer.args.should_save:
        return trained
    model = _prepared(base, trainer.config)
    trainer.config.method.restore(model, state)
    return model


def count_parameters(model: nn.Module) -> tuple[int, int]:
    """Return how many parameters are trained, and how many there are."""
    counts: Iterable[tuple[int, bool]] = (
        # A 4-bit weight packs two values in one byte.
        (p.numel() * (2 if p.__class__.__name__ == "Params4bit" else 1), p.requires_grad)
        for p in model.parameters()
    )
    sizes = list(counts)
    return sum(n for n, grad in sizes if grad), sum(n for n, _ in sizes)


def _run(
    trainer: SupervisedTrainer,
    checkpoints: Path,
    base: BaseModelRef,
    anchors: Anchors | None,
    when_ended: Callable[[], None],
) -> None:
    with trainer.accelerator.main_process_first():  # it deletes what is half-written
        resume = newest_checkpoint(checkpoints)
    if resume is not None:
        logger.info("going on from %s", resume.name)
    try:
        trainer.start(base, anchors)
        if trainer.args.process_index:  # each process draws its own dropout
            torch.manual_seed(trainer.config.seed + trainer.args.process_index)
        with checkpoint_before_the_end(trainer, when_ended):
            trainer.train(resume_from_checkpoint=str(resume) if resume else None)
    except torch.OutOfMemoryError as error:
        raise TrainingError(
            f"The accelerator ran out of memory: {error}. Lower training.batch_size (and raise "
            "training.gradient_accumulation by as much), or choose a leaner method."
        ) from error
    except UnpicklingError as error:  # only tensors and numbers are read from a checkpoint
        raise TrainingError(
            f"The checkpoint {resume} holds something other than tensors and is not loaded: "
            f"somebody else wrote it, or it is damaged. Delete {checkpoints} and start again."
        ) from error
    except WRITE_ERRORS as error:
        raise _disk(checkpoints, error) from error
    except RuntimeError as error:
        if "PytorchStreamWriter" not in str(error):  # torch.save says so when it cannot write
            raise
        raise _disk(checkpoints, error) from error


def _disk(folder: Path, error: Exception) -> StorageError:
    return StorageError(
        f"Cannot write to {folder}: {error}. Free disk space or set TEMPER_HOME to another "
        "disk, then run again: training goes on from its newest checkpoint."
    )


def _pad_token(tokenizer: PreTrainedTokenizerBase) -> int:
    if tokenizer.pad_token_id is None:
        raise TrainingError("The tokenizer has neither a padding nor an end-of-sequence token.")
    return int(tokenizer.pad_token_id)


def _result(
    trainer: SupervisedTrainer,
    config: TrainingConfig,
    train: Sequence[EncodedExample],
    parameters: tuple[int, int],
    figures: dict[str, float],
) -> TrainingResult:
    state = trainer.state
    seconds, processor = time_spent(trainer.callback_handler.callbacks)
    changed = [value for name, value in figures.items() if name.endswith(VALIDATION_LOSS)]
    epochs = float(state.epoch or 0.0)
    return TrainingResult(
        method=config.method.method,
        trainable_parameters=parameters[0],
        total_parameters=parameters[1],
        examples=len(train),
        tokens=round(epochs * sum(len(row.input_ids) for row in train)),
        supervised_tokens=round(epochs * sum(len(row.supervised) for row in train)),
        steps=state.global_step,
        epochs=epochs,
        best_step=state.best_global_step or state.global_step,
        best_validation_loss=float([state.best_metric, *changed][-1]),
        stopped_early=state.global_step < state.max_steps,
        seconds=round(seconds, 2),
        processor_seconds=round(processor, 2),
        peak_memory_bytes=peak_memory(),
        history=merge_points(state.log_history),
        mitigations=figures,
    )


def reset_peak_memory() -> None:
    """Forget earlier peaks, so that several trainings in one process each have their own.

    Where the system cannot (other than Linux), `peak_memory` goes on telling the highest of all.
    """
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
        return
    gc.collect()
    counters = Path("/proc/self/clear_refs")  # "5" resets the high-water mark: man 5 proc
    if counters.exists():
        counters.write_text("5", encoding="ascii")


def peak_memory() -> int:
    """Return the peak of the accelerator's memory, or of this process where there is none."""
    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_allocated())
    unit = 1 if sys.platform == "darwin" else 1024  # getrusage counts KiB on Linux
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _validated(history: Sequence[TrainingPoint]) -> list[int]:
    """Return the steps at which validation loss was measured."""
    return [point.step for point in history if point.validation_loss is not None]


def merge_points(log: Sequence[Mapping[str, Any]]) -> list[TrainingPoint]:
    """Return the trainer's log as one point a step."""
    merged: dict[int, dict[str, Any]] = {}
    for entry in log:
        point = point_of(dict(entry))
        if point is not None:
            known = {k: v for k, v in point.model_dump().items() if v is not None}
            merged.setdefault(point.step, {}).update(known)
    return [TrainingPoint(**merged[step]) for step in sorted(merged)]
