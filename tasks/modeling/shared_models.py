"""Tuned models that other machines trained, and those that they may have of this one.

As with datasets (`tasks.shared_datasets`), copies are a convenience: where the store does not
answer or holds something that is not whole, that is said and the run trains itself.
"""

import json
import logging
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from data_contracts.errors import DatasetError, ModelError, StorageError
from data_contracts.results import BaseModelRef, ModelRef
from tasks.modeling.tuned import (
    ModelManifest,
    find_model,
    model_folder,
    model_reference,
    read_model_manifest,
)
from tasks.store import MANIFEST, Store, get_files, put_folder, shared_store

logger = logging.getLogger(__name__)


def take_model(home: Path, fingerprint: str, base: BaseModelRef) -> ModelRef | None:
    """Return a model that another machine trained, brought into this home; None if there is none.

    Args:
        home: Temper's home.
        fingerprint: Of the model.
        base: What it was trained on, as it lies on this machine: the other's folder is not this
            one's.

    Raises:
        ConfigError: TEMPER_STORE cannot be opened.
    """
    store = shared_store()
    if store is None:
        return None
    try:
        ref = _fetched(store, home, fingerprint, base)
    except (DatasetError, ModelError, StorageError) as error:
        logger.warning("training: not taken from the store, but done here. %s", error)
        return None
    if ref is not None:
        logger.info("training: model %s taken from the store", fingerprint[:12])
    return ref


def offer_model(ref: ModelRef, made_now: bool) -> None:
    """Copy a finished model to the store, if there is a store.

    Args:
        ref: The model.
        made_now: Whether it was trained just now. Then it takes the place of what may lie there
            under its name and was refused; else what lies there stays.

    Raises:
        ConfigError: TEMPER_STORE cannot be opened.
    """
    store = shared_store()
    if store is None:
        return
    place = _place(ref.fingerprint)
    manifest = read_model_manifest(ref.folder)
    text = json.dumps(manifest.model_dump(mode="json")).encode()
    try:
        if made_now or not store.has(f"{place}/{MANIFEST}"):
            put_folder(store, place, ref.folder, manifest.files, text)
    except StorageError as error:
        logger.warning(
            "training: the model is whole in %s, but not copied to the store: the next run that "
            "uses it tries again. %s",
            ref.folder,
            error,
        )


def _place(fingerprint: str) -> str:
    return f"models/{fingerprint}"


def _fetched(store: Store, home: Path, fingerprint: str, base: BaseModelRef) -> ModelRef | None:
    """Bring a model here: checked under another name, then moved into place in one step."""
    place = _place(fingerprint)
    text = store.read(f"{place}/{MANIFEST}")
    if text is None:
        return None
    manifest = _checked(text, fingerprint, base, f"{store.address}/{place}")
    target = model_folder(home, fingerprint)
    staged: Path | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        staged = Path(tempfile.mkdtemp(prefix=f".{fingerprint[:8]}-", dir=target.parent))
        get_files(store, place, manifest.files, staged)
        (staged / MANIFEST).write_text(manifest.model_dump_json(indent=2), encoding="utf-8")
        _move(staged, target, home, fingerprint)
    except OSError as error:
        raise StorageError(
            f"Cannot write the model {fingerprint} of the store below {target.parent}: {error}. "
            "Free disk space, then run again."
        ) from error
    finally:
        if staged is not None:
            shutil.rmtree(staged, ignore_errors=True)  # it is gone where all went well
    return model_reference(target)


def _move(staged: Path, target: Path, home: Path, fingerprint: str) -> None:
    if target.exists() and find_model(home, fingerprint) is None:
        target.rename(target.with_suffix(f".damaged-{datetime.now(UTC):%Y%m%d%H%M%S}"))
    staged.replace(target)


def _checked(text: bytes, fingerprint: str, base: BaseModelRef, where: str) -> ModelManifest:
    """Return a manifest from outside, with this machine's base, if it is the one asked for.

    Raises:
        ModelError: It is not.
    """
    try:
        manifest = ModelManifest.model_validate_json(text)
    except ValidationError as error:
        raise ModelError(f"{where}/{MANIFEST} is no manifest: {error}.") from error
    if (manifest.fingerprint, manifest.base.fingerprint) != (fingerprint, base.fingerprint):
        raise ModelError(f"{where}/{MANIFEST} is that of another model.")
    held = base.model_copy(update={"held_in": manifest.base.held_in})
    return manifest.model_copy(update={"base": held})
