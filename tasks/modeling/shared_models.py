"""Tuned models that other machines trained, and those that they may have of this one."""

import json
import logging
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from data_contracts.errors import ModelError
from data_contracts.results import BaseModelRef, ModelRef
from tasks.modeling.tuned import (
    ModelManifest,
    find_model,
    model_folder,
    model_reference,
    read_model_manifest,
)
from tasks.store import MANIFEST, Store, fetched_files, offered, put_folder, taken

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
    ref = taken("training", lambda store: _fetched(store, home, fingerprint, base))
    if ref is not None:
        logger.info("training: model %s taken from the store", fingerprint[:12])
    return ref


def offer_model(ref: ModelRef, made_now: bool) -> None:
    """Copy a finished model to the store, if there is a store.

    Args:
        ref: The model.
        made_now: Whether it was trained just now, and so replaces what was refused.

    Raises:
        ConfigError: TEMPER_STORE cannot be opened.
    """
    place = _place(ref.fingerprint)

    def copy(store: Store) -> None:
        manifest = read_model_manifest(ref.folder)
        text = json.dumps(manifest.model_dump(mode="json")).encode()
        put_folder(store, place, ref.folder, manifest.files, text)

    offered("training", place, ref.folder, made_now, copy)


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
    with fetched_files(store, place, manifest.files, target) as staged:
        (staged / MANIFEST).write_text(manifest.model_dump_json(indent=2), encoding="utf-8")
        _move(staged, target, home, fingerprint)
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
