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
from data_contracts.errors import DatasetError, StorageError
from tasks.file_lock import one_at_a_time
from tasks.splitting.assignment import Assignment, assignment_of
from tasks.whole_file import whole_file

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
        if not path.exists():
            return Ledger()
        value = json.loads(path.read_text(encoding="utf-8"))
        recall = frozenset(map(str, value["recall"]))
        made = {source: Made(**entry) for source, entry in value["made"].items()}
        texts = dict(value.get("texts", {}))  # ledgers of Temper 0.1 have none
        return Ledger(Assignment(dict(value["documents"]), recall, texts), made)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise DatasetError(
            f"{path} is not a ledger of earlier splits: {error!r}. Restore it from a backup; if "
            "you delete it, documents are dealt out anew and old test rows may be trained on."
        ) from error


def forget_texts(home: Path, names: AbstractSet[str]) -> int:
    """Take the names of what rows said (`text_names`) out of all ledgers; return how many.

    Raises:
        DatasetError: A file is not a ledger.
        StorageError: A ledger cannot be written.
    """
    forgotten = 0
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


def write_ledger(path: Path, ledger: Ledger) -> None:
    """Replace the ledger in one step.

    Raises:
        StorageError: It cannot be written.
    """
    value: dict[str, Any] = {
        "documents": dict(ledger.assignment.documents),
        "recall": sorted(ledger.assignment.recall),
        "texts": dict(ledger.assignment.texts),
        "made": {
            source: {"rested_on": made.rested_on, "gave": made.gave}
            for source, made in ledger.made.items()
        },
    }
    try:
        with whole_file(path) as file:
            text = json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False)
            file.write(text.encode())
    except OSError as error:
        raise StorageError(
            f"Cannot write the ledger of splits {path}: {error}. Free disk space, then run "
            "again: finished work is kept."
        ) from error
