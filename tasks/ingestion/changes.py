"""What changed among the documents since they were last looked at."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from data_contracts.base import Result, digest
from data_contracts.errors import StorageError
from tasks.ingestion.discover import documents_digest
from tasks.ingestion.sources import DocumentFile
from tasks.whole_file import write_record

# A document's path, and the hash or checksum that names its content.
Versions = Mapping[str, str]

_VERSIONS: TypeAdapter[dict[str, str]] = TypeAdapter(dict[str, str])


class DocumentChanges(Result):
    """Paths of the documents that differ between two looks, each list sorted."""

    added: list[str]
    changed: list[str]
    removed: list[str]

    def __bool__(self) -> bool:
        """Whether anything differs."""
        return bool(self.added or self.changed or self.removed)


def document_versions(files: Sequence[DocumentFile]) -> dict[str, str]:
    """Return what names the content of each document."""
    return {file.relative: documents_digest([file]) for file in files}


def compare_versions(before: Versions, now: Versions) -> DocumentChanges:
    """Return what was added, changed and removed."""
    return DocumentChanges(
        added=sorted(now.keys() - before.keys()),
        changed=sorted(path for path in now.keys() & before.keys() if now[path] != before[path]),
        removed=sorted(before.keys() - now.keys()),
    )


def seen_path(home: Path, watched: str) -> Path:
    """Return the file that notes what a watch has seen."""
    return home / "watched" / f"{digest(watched, length=32)}.json"


def read_seen(path: Path) -> dict[str, str] | None:
    """Return what was noted at the last look, None if there was none.

    Raises:
        StorageError: The note cannot be read.
    """
    if not path.is_file():
        return None
    try:
        return _VERSIONS.validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise StorageError(
            f"{path}, which notes the documents seen last, cannot be read: {error}. Delete it; the "
            "next look then notes what is there and reports no change."
        ) from error


def note_seen(path: Path, versions: Versions) -> None:
    """Write down what was seen; a crash leaves the note before.

    Raises:
        StorageError: The note cannot be written.
    """
    text = json.dumps(dict(versions), indent=1)
    write_record(path, text, "the note of what was seen", "the same changes are reported again")
