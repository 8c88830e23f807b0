"""The ledger: which side every document has had, kept beside the datasets.

`<home>/splits/<name>-<digest>.json` holds the strictest side of every document that was
ever split under a name, `salt` and `by`, of what every held-out row said, the recall questions
held out, and for each dataset made
the earlier assignment it rested on. That assignment, as far as it concerns the rows at hand,
is part of the dataset's fingerprint. A run over unchanged rows finds its entry and so its
dataset; it is made anew only if a side has changed since. The ledger is written after the
dataset is complete: a run that breaks off in between finds the dataset and writes it then.
"""

import json
import re
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from data_contracts.base import digest
from data_contracts.errors import DatasetError
from tasks.file_lock import one_at_a_time
from tasks.splitting.assignment import Assignment, assignment_of
from tasks.store import Store, shared_store
from tasks.whole_file import write_record

_FOLDER = "splits"


@dataclass(frozen=True)
class Made:
    """A dataset that was split.

    Attributes:
        rested_on: Digest of the earlier assignment, within its rows; None where there was none.
        gave: Digest of the assignment within its rows afterwards.
    """

    rested_on: str | None
    gave: str


@dataclass(frozen=True)
class Ledger:
    """All sides so far, and the datasets made, by what they were made from."""

    assignment: Assignment = field(default_factory=Assignment)
    made: dict[str, Made] = field(default_factory=dict)

    def rests_on(self, source: str, examples: pa.Table) -> str | None:
        """Return the digest of the earlier assignment on which a split of these rows rests.

        Args:
            source: What the split is made from: a digest of rows, options and code.
            examples: The rows to split.
        """
        concerned = self.assignment.within(examples)
        made = self.made.get(source)
        if made is not None and made.gave == concerned.digest():
            return made.rested_on
        return None if concerned == Assignment() else concerned.digest()

    def with_split(
        self, source: str, rested_on: str | None, examples: pa.Table, split: pa.Table
    ) -> "Ledger":
        """Return the ledger after `examples` were divided, as `split` shows."""
        assignment = self.assignment.joined(assignment_of(split))
        made = Made(rested_on, assignment.within(examples).digest())
        return replace(self, assignment=assignment, made={**self.made, source: made})

    def joined(self, later: "Ledger") -> "Ledger":
        """Return both together; where they differ the stricter side counts."""
        return Ledger(self.assignment.joined(later.assignment), {**self.made, **later.made})


def ledger_path(home: Path, name: str, salt: str, by: str) -> Path:
    """Return the place of the ledger of a name, a salt and what is held out."""
    readable = re.sub(r"[^A-Za-z0-9_-]+", "-", name)[:40]
    return home / _FOLDER / f"{readable}-{digest([name, salt, by], length=12)}.json"


def read_ledger(path: Path) -> Ledger:
    """Read a ledger; there is an empty one where nothing was split yet.

    Raises:
        DatasetError: The file is not a ledger.
    """
    try:
        text = path.read_text(encoding="utf-8") if path.exists() else None
    except (OSError, ValueError) as error:
        raise _no_ledger(str(path), error) from error
    return Ledger() if text is None else _parsed(text, str(path))


def _parsed(text: str | bytes, where: str) -> Ledger:
    try:
        value = json.loads(text)
        recall = frozenset(map(str, value["recall"]))
        made = {source: Made(**entry) for source, entry in value["made"].items()}
        texts = dict(value.get("texts", {}))  # ledgers of Temper 0.1 have none
        return Ledger(Assignment(dict(value["documents"]), recall, texts), made)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise _no_ledger(where, error) from error


def _no_ledger(where: str, error: Exception) -> DatasetError:
    return DatasetError(
        f"{where} is not a ledger of earlier splits: {error!r}. Restore it from a backup; if "
        "you delete it, documents are dealt out anew and old test rows may be trained on."
    )


def known_to_all(path: Path) -> Ledger:
    """Return a ledger of this home together with the store's, if there is a store.

    Raises:
        ConfigError: TEMPER_STORE cannot be opened.
        DatasetError: One of them is not a ledger.
        StorageError: The store does not answer.
    """
    here, store = read_ledger(path), shared_store()
    if store is None:
        return here
    return _of_store(store, path.name).joined(here)


def tell_all(path: Path, ledger: Ledger) -> None:
    """Replace the ledger of this home, and join what it says to the store's, if there is a store.

    Two machines that tell at the same moment may lose what one of them said there; its own ledger
    has it, and tells again with its next split.

    Raises:
        ConfigError: TEMPER_STORE cannot be opened.
        DatasetError: The store's is not a ledger.
        StorageError: The store does not answer, or a ledger cannot be written.
    """
    write_ledger(path, ledger)
    store = shared_store()
    if store is None:
        return
    there = _of_store(store, path.name)
    both = there.joined(ledger)
    if both != there:
        store.write(f"{_FOLDER}/{path.name}", _text(both).encode())


def _of_store(store: Store, name: str) -> Ledger:
    text = store.read(f"{_FOLDER}/{name}")
    return Ledger() if text is None else _parsed(text, f"{store.address}/{_FOLDER}/{name}")


def forget_texts(home: Path, names: AbstractSet[str]) -> int:
    """Take the names of what rows said (`text_names`) out of all ledgers; return how many.

    Raises:
        DatasetError: A file is not a ledger.
        StorageError: A ledger cannot be written.
    """
    forgotten, store = 0, shared_store()
    if store is not None:
        for name in store.names(_FOLDER):
            _forget_there(store, name, names)
    for path in sorted((home / _FOLDER).glob("*.json")):
        with one_at_a_time(home, path.name):
            ledger = read_ledger(path)
            kept = ledger.assignment.without(names)
            if kept != ledger.assignment:
                forgotten += len(
                    names & (ledger.assignment.texts.keys() | ledger.assignment.recall)
                )
                write_ledger(path, replace(ledger, assignment=kept))
    return forgotten


def _forget_there(store: Store, name: str, names: AbstractSet[str]) -> None:
    ledger = _of_store(store, name)
    kept = ledger.assignment.without(names)
    if kept != ledger.assignment:
        store.write(f"{_FOLDER}/{name}", _text(replace(ledger, assignment=kept)).encode())


def write_ledger(path: Path, ledger: Ledger) -> None:
    """Replace the ledger in one step.

    Raises:
        StorageError: It cannot be written.
    """
    write_record(path, _text(ledger), "the ledger of splits", "finished work is kept")


def _text(ledger: Ledger) -> str:
    value: dict[str, Any] = {
        "documents": dict(ledger.assignment.documents),
        "recall": sorted(ledger.assignment.recall),
        "texts": dict(ledger.assignment.texts),
        "made": {
            source: {"rested_on": made.rested_on, "gave": made.gave}
            for source, made in ledger.made.items()
        },
    }
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False)
