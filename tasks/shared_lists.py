"""What every machine must know before it makes anything: what is to be forgotten, who is held out.

Unlike copies of datasets these are no convenience. A run that cannot read them ends, rather than
read a document that was to be forgotten.
"""

import json
from collections.abc import Iterable
from pathlib import Path

from pydantic import ValidationError

from data_contracts.errors import DatasetError
from tasks.file_lock import one_at_a_time
from tasks.forgotten import (
    NOTHING_FORGOTTEN,
    Forgotten,
    ForgottenDocument,
    forgotten_path,
    read_forgotten,
    write_forgotten,
)
from tasks.store import Store, shared_store

_FOLDER = "forgotten"


def forgotten_of(home: Path, profile: str) -> Forgotten:
    """Return what a profile must not read, by this home's list and by the store's.

    Each list is brought up to the other.

    Raises:
        ConfigError: TEMPER_STORE cannot be opened.
        DatasetError: A list is damaged.
        StorageError: The store does not answer, or a list cannot be written.
    """
    return note_forgotten(home, profile, ())


def note_forgotten(home: Path, profile: str, documents: Iterable[ForgottenDocument]) -> Forgotten:
    """Add documents to what a profile must not read, first in the store if there is one.

    Of two machines that add at the same moment the store may keep one's alone; the other's own
    list has its documents, and adds them again with its next run.

    Returns:
        All that it must not read.

    Raises:
        ConfigError: TEMPER_STORE cannot be opened.
        DatasetError: A list is damaged.
        StorageError: The store does not answer, or a list cannot be written.
    """
    path, store = forgotten_path(home, profile), shared_store()
    # two that read the same list would each lose what the other adds
    with one_at_a_time(home, f"{_FOLDER}/{path.name}"):
        here = read_forgotten(path)
        both = here.joined(documents)
        if store is not None:
            both = _joined_there(store, path.name, both)
        if both != here:  # its time tells which caches are older
            write_forgotten(path, both)
    return both


def _joined_there(store: Store, name: str, forgotten: Forgotten) -> Forgotten:
    there = _read(store, name)
    both = there.joined(forgotten.documents)
    if both != there:
        text = json.dumps(both.model_dump(mode="json"), indent=1, ensure_ascii=False)
        store.write(f"{_FOLDER}/{name}", text.encode())
    return both


def all_forgotten(store: Store) -> Forgotten:
    """Return what any profile of any machine was told to forget.

    Raises:
        DatasetError: A list is damaged.
        StorageError: The store does not answer.
    """
    lists = [_read(store, name) for name in store.names(_FOLDER)]
    return NOTHING_FORGOTTEN.joined(entry for each in lists for entry in each.documents)


def _read(store: Store, name: str) -> Forgotten:
    text = store.read(f"{_FOLDER}/{name}")
    if text is None:
        return NOTHING_FORGOTTEN
    try:
        return Forgotten.model_validate_json(text)
    except ValidationError as error:
        raise DatasetError(
            f"{store.address}/{_FOLDER}/{name} is not a list of forgotten documents: {error}. "
            "Restore it from a home that has it (TEMPER_HOME/forgotten)."
        ) from error
