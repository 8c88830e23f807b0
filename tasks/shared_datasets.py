"""Datasets that other machines made, and those that they may have of this one.

What was to be forgotten is never copied, in either direction, whoever made it.
"""

import json
import logging
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from data_contracts.dataset import (
    DROPPED,
    KEPT,
    DatasetRef,
    Manifest,
    commit,
    dataset_fingerprint,
    dataset_folder,
    find_dataset,
    read_manifest,
)
from data_contracts.errors import DatasetError
from data_contracts.schemas import SCHEMA_VERSION
from tasks.file_lock import one_at_a_time
from tasks.forgotten import Forgotten
from tasks.lineage.origin import not_forgotten, of_documents
from tasks.shared_lists import all_forgotten
from tasks.store import MANIFEST, Store, fetched_files, offered, put_folder, shared_store, taken

logger = logging.getLogger(__name__)

_FOLDER = "datasets"

# Names that may become folders here.
_STAGE, _FINGERPRINT = re.compile(r"[a-z_]+"), re.compile(r"[0-9a-f]{32}")

# What tells of which document a row is.
_TOLD_BY = ("document_id", "other_chunks", "sha256", "reason")


def take_dataset(home: Path, stage: str, fingerprint: str) -> DatasetRef | None:
    """Return a dataset that another machine made, brought into this home; None if there is none.

    Args:
        home: Temper's home.
        stage: Name of the stage.
        fingerprint: Of the dataset.

    Raises:
        ConfigError: TEMPER_STORE cannot be opened.
    """
    ref = taken(stage, lambda store: _fetched(store, home, stage, fingerprint))
    if ref is not None:
        logger.info("%s: taken from the store, %d rows", stage, ref.rows)
    return ref


def offer_dataset(ref: DatasetRef, made_now: bool) -> None:
    """Copy a finished dataset to the store, if there is a store.

    Args:
        ref: The dataset.
        made_now: Whether it was made just now, and so replaces what was refused.

    Raises:
        ConfigError: TEMPER_STORE cannot be opened.
    """
    folder = Path(ref.folder)
    place = _place(ref.stage, ref.fingerprint)

    def copy(store: Store) -> None:
        manifest = read_manifest(folder)
        if manifest.unanswered:  # other homes look for the finished one only
            return
        _refuse_forgotten(store, folder, manifest)
        text = json.dumps(manifest.model_dump(), ensure_ascii=False).encode()
        put_folder(store, place, folder, manifest.files, text)

    offered(ref.stage, place, folder, made_now, copy)


def take_all(home: Path, *stages: str, even_forgotten: bool = False) -> None:
    """Bring the datasets of the store into this home that it has not; damaged ones are named.

    Args:
        home: Temper's home.
        stages: Only these; all if none is named.
        even_forgotten: Also those that hold what was to be forgotten: for who is to delete them.

    Raises:
        ConfigError: TEMPER_STORE cannot be opened.
        StorageError: The store does not answer.
    """
    store = shared_store()
    if store is None:
        return
    for stage in stages or filter(_STAGE.fullmatch, store.names(_FOLDER)):
        for name in filter(_FINGERPRINT.fullmatch, store.names(f"{_FOLDER}/{stage}")):
            with one_at_a_time(home, name):
                _take_if_missing(store, home, stage, name, even_forgotten)


def _take_if_missing(
    store: Store, home: Path, stage: str, fingerprint: str, even_forgotten: bool
) -> None:
    try:
        if find_dataset(home, stage, fingerprint) is None:
            _fetched(store, home, stage, fingerprint, even_forgotten)
    except DatasetError as error:
        logger.warning("%s: not taken from the store. %s", stage, error)


def remove_shared(stage: str, fingerprint: str) -> bool:
    """Delete a dataset from the store; return whether it was there.

    Raises:
        ConfigError: TEMPER_STORE cannot be opened.
        StorageError: It cannot be deleted.
    """
    store = shared_store()
    return store is not None and store.remove(_place(stage, fingerprint))


def _place(stage: str, fingerprint: str) -> str:
    return f"{_FOLDER}/{stage}/{fingerprint}"


def _fetched(
    store: Store, home: Path, stage: str, fingerprint: str, even_forgotten: bool = False
) -> DatasetRef | None:
    """Bring a dataset here: checked under another name, then moved into place in one step."""
    place = _place(stage, fingerprint)
    text = store.read(f"{place}/{MANIFEST}")
    if text is None:
        return None
    manifest = _checked(text, stage, fingerprint, f"{store.address}/{place}")
    target = dataset_folder(home, stage, fingerprint)
    with fetched_files(store, place, manifest.files, target) as staged:
        if not even_forgotten:
            _refuse_forgotten(store, staged, manifest)
        return commit(staged, home, manifest)


def _checked(text: bytes, stage: str, fingerprint: str, where: str) -> Manifest:
    """Return a manifest from outside, if it is that of the dataset that was asked for.

    Raises:
        DatasetError: It is not.
    """
    try:
        manifest = Manifest.model_validate_json(text)
    except ValueError as error:
        raise DatasetError(f"{where}/{MANIFEST} is no manifest: {error}.") from error
    made = dataset_fingerprint(
        manifest.stage, manifest.stage_version, manifest.config, manifest.parents
    )
    named = (manifest.stage, manifest.fingerprint, manifest.schema_version)
    if named != (stage, fingerprint, SCHEMA_VERSION) or made != fingerprint:
        raise DatasetError(
            f"{where}/{MANIFEST} is that of another dataset, or of another version of Temper."
        )
    if not {KEPT, DROPPED} <= manifest.files.keys():
        raise DatasetError(f"{where}/{MANIFEST} names no {KEPT} and {DROPPED}.")
    return manifest


def _refuse_forgotten(store: Store, folder: Path, manifest: Manifest) -> None:
    """Let nothing pass that holds a document of any of the store's lists.

    Raises:
        DatasetError: It does.
    """
    forgotten = all_forgotten(store)
    if forgotten.documents and any(_holds(folder / name, forgotten) for name in (KEPT, DROPPED)):
        raise DatasetError(
            f"{_place(manifest.stage, manifest.fingerprint)} holds a document that was to be "
            f"forgotten: see {store.address}/forgotten. It is not shared."
        )


def _holds(path: Path, forgotten: Forgotten) -> bool:
    try:
        present = pq.read_schema(path).names
        table = pq.read_table(path, columns=[name for name in _TOLD_BY if name in present])
    except pa.ArrowInvalid as error:
        raise DatasetError(f"{path.name} is no table: {error}.") from error
    table = not_forgotten(table)
    if {"document_id", "sha256"} <= set(table.column_names):
        return any(forgotten.rows(table).to_pylist())
    return of_documents(table, forgotten.ids).num_rows > 0
