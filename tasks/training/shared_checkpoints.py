"""Checkpoints of a training whose machine was taken away, for another machine to go on from."""

import json
import logging
from pathlib import Path, PurePath

from data_contracts.base import file_sha256
from data_contracts.errors import DatasetError, StorageError
from tasks.store import MANIFEST, Store, fetched_files, put_folder, shared_store, taken
from tasks.training.checkpoints import STATE

logger = logging.getLogger(__name__)


def offer_checkpoints(folder: Path, fingerprint: str) -> None:
    """Copy what an unfinished training has written to the store, if there is a store.

    Args:
        folder: The training's.
        fingerprint: Of the model that it would have become.

    Raises:
        ConfigError: TEMPER_STORE cannot be opened.
    """
    store = shared_store()
    if store is None:
        return
    files = {
        path.relative_to(folder).as_posix(): file_sha256(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    try:
        put_folder(store, _place(fingerprint), folder, files, json.dumps(files).encode())
    except StorageError as error:
        logger.warning("Checkpoints stay on this machine, no other can go on from them: %s", error)
    else:
        logger.warning("Checkpoints are in the store: any machine can go on from them")


def take_checkpoints(folder: Path, fingerprint: str) -> None:
    """Bring the checkpoints of an unfinished training here, unless this machine has its own.

    Args:
        folder: The training's; must not exist.
        fingerprint: Of the model that is wanted.

    Raises:
        ConfigError: TEMPER_STORE cannot be opened.
    """
    taken("training", lambda store: _fetch(store, folder, fingerprint))


def drop_checkpoints(fingerprint: str) -> None:
    """Delete them from the store: the model is finished.

    Raises:
        ConfigError: TEMPER_STORE cannot be opened.
    """
    store = shared_store()
    if store is None:
        return
    try:
        store.remove(_place(fingerprint))
    except StorageError as error:
        logger.warning("Checkpoints of a finished training stay in the store: %s", error)


def _place(fingerprint: str) -> str:
    return f"unfinished/{fingerprint}"


def _fetch(store: Store, folder: Path, fingerprint: str) -> None:
    place = _place(fingerprint)
    text = store.read(f"{place}/{MANIFEST}")
    if text is None:
        return
    with fetched_files(store, place, _files(text, f"{store.address}/{place}"), folder) as staged:
        for path in staged.glob(f"checkpoints/*/{STATE}"):
            _move_best(path, folder)
        staged.replace(folder)
    logger.info("training: checkpoints of another machine taken from the store")


def _files(text: bytes, where: str) -> dict[str, str]:
    try:
        return {str(name): str(sha256) for name, sha256 in json.loads(text).items()}
    except (ValueError, AttributeError) as error:
        raise DatasetError(f"{where}/{MANIFEST} is no manifest: {error}.") from error


def _move_best(path: Path, folder: Path) -> None:
    """Name the best checkpoint as it lies here: the trainer notes its absolute path."""
    state = json.loads(path.read_text(encoding="utf-8"))
    best = state.get("best_model_checkpoint")
    if best is not None:
        state["best_model_checkpoint"] = str(folder / "checkpoints" / PurePath(best).name)
        path.write_text(json.dumps(state), encoding="utf-8")
