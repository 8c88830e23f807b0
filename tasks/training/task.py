"""The Prefect task of training: reuse a finished model, else train, store, log."""

import json
import logging
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, cast
from uuid import UUID

from prefect import task
from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.context import TaskRunContext

from data_contracts.base import digest, file_sha256
from data_contracts.dataset import DatasetRef, read_kept
from data_contracts.errors import StorageError
from data_contracts.results import BaseModelRef, ModelRef, TrainingPoint, TrainingResult
from tasks.file_lock import one_at_a_time
from tasks.modeling.base_model import resolve_base_model
from tasks.modeling.shared_models import offer_model, take_model
from tasks.modeling.tuned import (
    MANIFEST,
    RESULT,
    ModelManifest,
    base_files,
    find_model,
    model_folder,
    model_reference,
    read_training_result,
    template_digest,
)
from tasks.tracking import RunContext, flatten, stage_run
from tasks.training.base_precision import held_base
from tasks.training.config import TrainingConfig
from tasks.training.shared_checkpoints import (
    drop_checkpoints,
    offer_checkpoints,
    take_checkpoints,
)
from tasks.training.told import told

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
    parents, options = _parents(examples, base), config.model_dump(mode="json")
    fingerprint = model_fingerprint(examples, base, config)
    alone = one_at_a_time(context.home, fingerprint)  # two would write the same checkpoints
    with stage_run(context, "training") as mlflow, alone:
        mlflow.log_params(flatten({**options, "peak_learning_rate": config.peak_learning_rate}))
        ref = find_model(context.home, fingerprint)
        here = ref is not None
        ref = ref or take_model(context.home, fingerprint, base)
        mlflow.set_tags(
            {
                "temper.reused": str(ref is not None).lower(),
                "temper.model": fingerprint,
                "temper.data": digest(parents, length=32),  # runs on the same rows are comparable
            }
        )
        if ref is None:
            with told(mlflow, _progress(config)) as on_point:
                folder = _train(examples, base, config, context.home, fingerprint, on_point)
            held = held_base(base, config)  # what measures the model must load it so, too
            _write_manifest(folder, fingerprint, parents, held, config)
            ref = model_reference(_move_into_place(folder, context.home, fingerprint))
            offer_model(ref, made_now=True)
            drop_checkpoints(fingerprint)
        elif here:
            logger.info("training: unchanged, model %s reused", fingerprint[:12])
            offer_model(ref, made_now=False)
        mlflow.set_tag("temper.base_held_in", ref.base.held_in)
        _log_result(mlflow, ref)
    return ref


def model_fingerprint(examples: DatasetRef, base: BaseModelRef, config: TrainingConfig) -> str:
    """Return the name of the model that training with these options on these rows gives.

    How many processes share the work is no part of it, no more than the machine is.
    """
    left_out = {"processes", "sharding"}
    if config.base_precision == "auto":  # what it comes to is the machine's, as its arithmetic is
        left_out.add("base_precision")
    options = config.model_dump(mode="json", exclude=left_out)
    parts = ["training", TRAINING_VERSION, options, _parents(examples, base), _files(config)]
    return digest(parts, length=32)


def _files(config: TrainingConfig) -> list[str]:
    """Return the hashes of the files that mitigations read: their content is part of the name.

    Raises:
        StorageError: One cannot be read.
    """
    paths = [path for each in config.mitigations if each.active for path in each.files()]
    if config.needs_anchors and config.anchors.file is not None:
        paths.append(config.anchors.file)
    try:
        return [file_sha256(path) for path in paths]
    except OSError as error:
        raise StorageError(
            f"Cannot read a file named under training.mitigations or training.anchors: {error}."
        ) from error


def _parents(examples: DatasetRef, base: BaseModelRef) -> dict[str, str]:
    return {"examples": examples.content_sha256, "base": base.fingerprint}


def _train(
    examples: DatasetRef,
    base: BaseModelRef,
    config: TrainingConfig,
    home: Path,
    fingerprint: str,
    on_point: Callable[[TrainingPoint], None],
) -> Path:
    """Train in a folder that a later run finds again, should this one be interrupted."""
    folder = model_folder(home, fingerprint).with_suffix(".unfinished")
    if not any(folder.glob("checkpoints/*")):
        take_checkpoints(folder, fingerprint)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"Cannot make the folder {folder}: {error}.") from error
    when_ended = partial(offer_checkpoints, folder, fingerprint)
    result = _result(examples, base, config, folder, on_point, when_ended)
    logger.info(
        "training: best validation loss %.3f at step %d of %d, %.0f s",
        result.best_validation_loss,
        result.best_step,
        result.steps,
        result.seconds,
    )
    return folder


def _result(
    examples: DatasetRef,
    base: BaseModelRef,
    config: TrainingConfig,
    folder: Path,
    on_point: Callable[[TrainingPoint], None],
    when_ended: Callable[[], None],
) -> TrainingResult:
    if config.processes > 1:
        from tasks.training.processes import train_in_processes

        return train_in_processes(examples, base, config, folder, on_point)
    from tasks.training.train import train_model

    return train_model(read_kept(examples), base, config, folder, on_point, when_ended)


def _progress(config: TrainingConfig) -> Callable[[TrainingPoint], None]:
    """Return what shows on Prefect's page of the run how far training is."""
    if TaskRunContext.get() is None:
        return lambda _point: None
    made = create_progress_artifact(0.0, key="training", description="Share of the epochs.")
    bar = cast("UUID", made)  # a coroutine only where an event loop runs, and none does here

    def show(point: TrainingPoint) -> None:
        update_progress_artifact(bar, progress=min(100.0, 100 * point.epoch / config.epochs))

    return show


def _write_manifest(
    folder: Path,
    fingerprint: str,
    parents: dict[str, str],
    base: BaseModelRef,
    config: TrainingConfig,
) -> None:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    method = config.method.method
    written = ModelRef(fingerprint=fingerprint, folder=folder, method=method, base=base)
    manifest = ModelManifest(
        fingerprint=fingerprint,
        parents=parents,
        base=base,
        method=config.method.model_dump(mode="json"),
        config=config.model_dump(mode="json"),
        files={str(path.relative_to(folder)): file_sha256(path) for path in files},
        base_files=base_files(base),
        template=template_digest(written),
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
    numbers = result.model_dump(exclude={"history", "method", "stopped_early", "mitigations"})
    numbers |= {f"mitigation.{name}": value for name, value in result.mitigations.items()}
    mlflow.log_metrics({f"training.{name}": float(value) for name, value in numbers.items()})
    mlflow.log_artifact(str(ref.folder / RESULT))
    mlflow.log_artifact(str(ref.folder / MANIFEST))
