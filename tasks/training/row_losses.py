"""What each validation row loses at a checkpoint, so that two can be compared with an interval."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
from safetensors.torch import load_file, save_file
from torch import Tensor

from tasks.modeling.chat import EncodedExample
from tasks.modeling.checkpoint_losses import CHECKPOINT_LOSSES, CheckpointLosses

Row = dict[str, Sequence[int]]

_FILE, _NAME = "validation_losses.safetensors", "rows"


def as_rows(rows: Sequence[EncodedExample]) -> list[Row]:
    """Return encoded rows as the trainer's dataset."""
    return [{"input_ids": row.input_ids, "labels": row.labels} for row in rows]


def numbered(rows: Sequence[EncodedExample]) -> list[Row]:
    """Return encoded rows as the trainer's dataset, each with its number."""
    return [{**row, "number": (at,)} for at, row in enumerate(as_rows(rows))]


def per_token(losses: Tensor) -> float:
    """Return the mean loss per token of rows: columns are summed loss and tokens."""
    total, tokens = losses.sum(dim=0).tolist()
    return float(total / tokens)


def save_row_losses(losses: Tensor, checkpoint: Path) -> None:
    """Write rows' losses into a checkpoint: of those on disk, the best and the last are needed."""
    save_file({_NAME: losses}, checkpoint / _FILE)


def keep_best_and_last(
    checkpoints: Path, steps: Sequence[int], best_step: int, examples: pa.Table, folder: Path
) -> None:
    """Write the losses at the best and the last checkpoint beside the model.

    A run that an earlier version began may lack them; then nothing is written.

    Args:
        checkpoints: Folder of the checkpoints.
        steps: At which validation loss was measured, in order.
        best_step: One of them.
        examples: Rows in the EXAMPLE schema.
        folder: Of the model.
    """
    files = [checkpoints / f"checkpoint-{step}" / _FILE for step in (best_step, steps[-1])]
    if not all(path.is_file() for path in files):
        return
    best, last = (load_file(path)[_NAME] for path in files)
    kept = CheckpointLosses(
        checkpoints=len(steps),
        best_step=best_step,
        last_step=steps[-1],
        clusters=_clusters(examples),
        tokens=[round(tokens) for tokens in best[:, 1].tolist()],
        best=best[:, 0].tolist(),
        last=last[:, 0].tolist(),
    )
    (folder / CHECKPOINT_LOSSES).write_text(kept.model_dump_json(), encoding="utf-8")


def _clusters(examples: pa.Table) -> list[str]:
    """Return what each validation row rises and falls with, as the evaluation does."""
    rows = examples.select(["split", "group_id", "document_id"]).to_pylist()
    return [row["group_id"] or row["document_id"] for row in rows if row["split"] == "validation"]
