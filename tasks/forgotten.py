"""Documents that a profile must not read any more: kept in the home, honoured by ingestion.

A document is known by its path and by the hash of its bytes: a copy under another name is
left out as well. Neither tells what it said.
"""

import json
import re
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import ValidationError

from data_contracts.base import Result, digest
from data_contracts.errors import DatasetError
from tasks.whole_file import write_record

REASON: Final = "forgotten"
DETAIL = "It was to be forgotten (`temper forget`)."


class ForgottenDocument(Result):
    """A document that is not to be read."""

    document_id: str
    path: str
    sha256: str | None
    since: str


class Forgotten(Result):
    """The documents that a profile must not read."""

    documents: tuple[ForgottenDocument, ...] = ()

    @cached_property
    def ids(self) -> frozenset[str]:
        """Their identifiers."""
        return frozenset(document.document_id for document in self.documents)

    @cached_property
    def hashes(self) -> frozenset[str]:
        """The hashes of their bytes."""
        return frozenset(d.sha256 for d in self.documents if d.sha256 is not None)

    def digest(self) -> str:
        """Return a hash of what is left out."""
        return digest([sorted(self.ids), sorted(self.hashes)], length=32)

    def joined(self, others: Iterable[ForgottenDocument]) -> "Forgotten":
        """Return these and others; one that is known already stays as it is."""
        known = {(d.document_id, d.sha256): d for d in [*others, *self.documents]}
        return Forgotten(documents=tuple(known[name] for name in sorted(known, key=str)))

    def rows(self, table: pa.Table) -> Any:
        """Return which rows of a table of documents are among these."""
        by_id = pc.is_in(table.column("document_id"), pa.array(sorted(self.ids), pa.string()))
        by_hash = pc.is_in(table.column("sha256"), pa.array(sorted(self.hashes), pa.string()))
        return pc.or_(by_id, by_hash)


NOTHING_FORGOTTEN = Forgotten()


def forgotten_path(home: Path, name: str) -> Path:
    """Return the place of the list of a profile's name."""
    readable = re.sub(r"[^A-Za-z0-9_-]+", "-", name)[:40]
    return home / "forgotten" / f"{readable}-{digest(name, length=12)}.json"


def read_forgotten(path: Path) -> Forgotten:
    """Read a list; it is empty where nothing was forgotten yet.

    Raises:
        DatasetError: The file is not such a list. Nothing is built then: what was to be
            forgotten would be read again.
    """
    try:
        if not path.exists():
            return NOTHING_FORGOTTEN
        return Forgotten.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValidationError) as error:
        raise DatasetError(
            f"{path} is not a list of forgotten documents: {error}. Restore it from a backup; if "
            "you delete it, the documents are read again."
        ) from error


def write_forgotten(path: Path, forgotten: Forgotten) -> None:
    """Replace a list in one step.

    Raises:
        StorageError: It cannot be written.
    """
    text = json.dumps(forgotten.model_dump(mode="json"), indent=1, ensure_ascii=False)
    write_record(path, f"{text}\n", "the list of forgotten documents", "nothing was removed")
