"""The Prefect task of training: reuse a finished model, else train, store, log."""

import json
import logging
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prefect import task

from data_contracts.base import digest, file_sha256
from data_contracts.dataset import DatasetRef, read_kept
from data_contracts.errors import StorageError
from data_contracts.results import BaseModelRef, ModelRef, TrainingPoint
from tasks.modeling.base_model import resolve_base_model
from tasks.modeling.tuned import (
    MANIFEST,
    RESULT,
    ModelManifest,
    find_model,
    model_folder,
    model_reference,
    read_training_result,
)
from tasks.tracking import RunContext, flatten, stage_run
from tasks.training.config import TrainingConfig

logger = logging.getLogger(__name__)

# Raise when the code of training gives other models for the same input.
TRAINING_VERSION = 1


@task(name="prepare base model")
def prepare_base_model(name: str, context: RunContext) -> BaseModelRef:
    """Return the base model on this machine, converting or downloading it if need be."""
    return resolve_base_model(name, context.home)


@task(name="train")
def train(
    examples: DatasetRef, base: BaseModelRef, config: TrainingConfig, context: RunContext
) -> ModelRef:
    """Return the model tuned on these examples, training it only if it does not exist yet."""
    parents = {"examples": examples.content_sha256, "base": base.fingerprint}
    options = config.model_dump(mode="json")
    fingerprint = digest(["training", TRAINING_VERSION, options, parents], length=32)
    with stage_run(context, "training") as mlflow:
        mlflow.log_params(flatten({**options, "peak_learning_rate": config.peak_learning_rate}))
        ref = find_model(context.home, fingerprint)
        mlflow.set_tags(
            {"temper.reused": str(ref is not None).lower(), "temper.model": fingerprint}
        )
        if ref is None:
            folder = _train(examples, base, config, context.home, fingerprint, _log_point(mlflow))
            _write_manifest(folder, fingerprint, parents, base, config)
            ref = model_reference(_move_into_place(folder, context.home, fingerprint))
        else:
            logger.info("training: unchanged, model %s reused", fingerprint[:12])
        _log_result(mlflow, ref)
    return ref


def _train(
    examples: DatasetRef,
    base: BaseModelRef,
    config: TrainingConfig,
    home: Path,
    fingerprint: str,
    on_point: Callable[[TrainingPoint], None],
) -> Path:
    """Train in a folder that a later run finds again, should this one be interrupted."""
    from tasks.training.train import train_model

    folder = model_folder(home, fingerprint).with_suffix(".unfinished")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"Cannot make the folder {folder}: {error}.") from error
    result = train_model(read_kept(examples), base, config, folder, on_point)
    logger.info(
        "training: best validation loss %.3f at step %d of %d, %.0f s",
        result.best_validation_loss,
        result.best_step,
        result.steps,
        result.seconds,
    )
    return folder


def _log_point(mlflow: Any) -> Callable[[TrainingPoint], None]:
    def log(point: TrainingPoint) -> None:
        values = point.model_dump(exclude={"step", "epoch"})
        mlflow.log_metrics({k: v for k, v in values.items() if v is not None}, step=point.step)

    return log


def _write_manifest(
    folder: Path,
    fingerprint: str,
    parents: dict[str, str],
    base: BaseModelRef,
    config: TrainingConfig,
) -> None:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    manifest = ModelManifest(
        fingerprint=fingerprint,
        parents=parents,
        base=base,
        method=config.method.model_dump(mode="json"),
        config=config.model_dump(mode="json"),
        files={str(path.relative_to(folder)): file_sha256(path) for path in files},
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    text = json.dumps(manifest.model_dump(mode="json"), indent=2)
    with tempfile.NamedTemporaryFile("w", dir=folder, delete=False, encoding="utf-8") as stream:
        stream.write(text)
    Path(stream.name).replace(folder / MANIFEST)


def _move_into_place(folder: Path, home: Path, fingerprint: str) -> Path:
    target = model_folder(home, fingerprint)
    if find_model(home, fingerprint) is None:
        if target.exists():
            target.rename(target.with_suffix(f".damaged-{datetime.now(UTC):%Y%m%d%H%M%S}"))
        folder.rename(target)
    return target


def _log_result(mlflow: Any, ref: ModelRef) -> None:
    result = read_training_result(ref)
    numbers = result.model_dump(exclude={"history", "method", "stopped_early"})
    mlflow.log_metrics({f"training.{name}": float(value) for name, value in numbers.items()})
    mlflow.log_artifact(str(ref.folder / RESULT))
    mlflow.log_artifact(str(ref.folder / MANIFEST))
