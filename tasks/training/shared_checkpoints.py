"""Checkpoints of a training whose machine was taken away, for another machine to go on from."""

import json
import logging
import shutil
from pathlib import Path, PurePath

from data_contracts.base import file_sha256
from data_contracts.errors import DatasetError, StorageError
from tasks.store import (
    MANIFEST,
    Store,
    fetched_files,
    on_store,
    put_folder,
    shared_store,
    taken,
)
from tasks.training.checkpoints import STATE

logger = logging.getLogger(__name__)

_FOLDER = "unfinished"


def offer_checkpoints(folder: Path, fingerprint: str) -> None:
    """Copy what an unfinished training has written to the store, if there is a store.

    Args:
        folder: The training's.
        fingerprint: Of the model that it would have become.

    Raises:
        ConfigError: TEMPER_STORE cannot be opened.
    """

    def copy(store: Store) -> None:
        files = _hashes(folder)
        put_folder(store, _place(fingerprint), folder, files, json.dumps(files).encode())
        logger.warning("Checkpoints are in the store: any machine can go on from them")

    on_store(copy, "Checkpoints stay on this machine, no other can go on from them")


def take_checkpoints(folder: Path, fingerprint: str) -> None:
    """Bring the checkpoints of an unfinished training here, if the store has some.

    Args:
        folder: The training's; what lies there goes.
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
    on_store(
        lambda store: store.remove(_place(fingerprint)),
        "Checkpoints of a finished training stay in the store",
    )


def remove_all_checkpoints() -> int:
    """Delete the checkpoints of all trainings from the store; return of how many.

    Nothing tells which documents one has seen, and a training without them begins anew.

    Raises:
        ConfigError: TEMPER_STORE cannot be opened.
        StorageError: The store does not answer, or refuses.
    """
    store = shared_store()
    return 0 if store is None else sum(store.remove(_place(n)) for n in store.names(_FOLDER))


def _place(fingerprint: str) -> str:
    return f"{_FOLDER}/{fingerprint}"


def _hashes(folder: Path) -> dict[str, str]:
    """Return the hash of each file, by its name within the folder.

    Raises:
        StorageError: One cannot be read.
    """
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    try:
        return {path.relative_to(folder).as_posix(): file_sha256(path) for path in paths}
    except OSError as error:
        raise StorageError(f"{folder} cannot be read ({error}). Look at the disk.") from error


def _fetch(store: Store, folder: Path, fingerprint: str) -> None:
    place = _place(fingerprint)
    text = store.read(f"{place}/{MANIFEST}")
    if text is None:
        return
    with fetched_files(store, place, _files(text, f"{store.address}/{place}"), folder) as staged:
        for path in staged.glob(f"checkpoints/*/{STATE}"):
            _move_best(path, folder)
        shutil.rmtree(folder, ignore_errors=True)
        staged.replace(folder)
    logger.info("training: checkpoints of another machine taken from the store")


def _files(text: bytes, where: str) -> dict[str, str]:
    try:
        return {str(name): str(sha256) for name, sha256 in json.loads(text).items()}
    except (ValueError, AttributeError) as error:
        raise DatasetError(f"{where}/{MANIFEST} is no manifest: {error}.") from error


def _move_best(path: Path, folder: Path) -> None:
    """Name the best checkpoint as it lies here: the trainer notes its absolute path."""
    try:
        state = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:  # half-written there; `newest_checkpoint` takes it away
        return
    best = state.get("best_model_checkpoint")
    if best is not None:
        state["best_model_checkpoint"] = str(folder / "checkpoints" / PurePath(best).name)
        path.write_text(json.dumps(state), encoding="utf-8")
