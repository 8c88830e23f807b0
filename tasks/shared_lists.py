"""What every machine must know before it makes anything: what is to be forgotten, who is held out.

Unlike copies of datasets these are no convenience. A run that cannot read them ends, rather than
read a document that was to be forgotten.
"""

import json
from pathlib import Path

from pydantic import ValidationError

from data_contracts.errors import DatasetError
from tasks.forgotten import (
    NOTHING_FORGOTTEN,
    Forgotten,
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
    path = forgotten_path(home, profile)
    here, store = read_forgotten(path), shared_store()
    if store is None:
        return here
    there = _read(store, path.name)
    both = there.joined(here.documents)
    note_forgotten(home, profile, both)
    return both


def note_forgotten(home: Path, profile: str, forgotten: Forgotten) -> None:
    """Keep the list of a profile, first in the store if there is one.

    Raises:
        ConfigError: TEMPER_STORE cannot be opened.
        DatasetError: A list is damaged.
        StorageError: The store does not answer, or the list cannot be written.
    """
    path, store = forgotten_path(home, profile), shared_store()
    if store is not None and _read(store, path.name) != forgotten:
        text = json.dumps(forgotten.model_dump(mode="json"), indent=1, ensure_ascii=False)
        store.write(f"{_FOLDER}/{path.name}", text.encode())
    if read_forgotten(path) != forgotten:  # its time tells which caches are older
        write_forgotten(path, forgotten)


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
