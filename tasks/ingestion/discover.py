"""Finds the files of a documents folder and names what they are."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from data_contracts.base import digest, file_sha256
from data_contracts.errors import DocumentsError
from tasks.ingestion.config import IngestionConfig

# Lock files of Office programs begin with the second.
_HIDDEN_PREFIXES = (".", "~$")


@dataclass(frozen=True)
class DocumentFile:
    """A file in the documents folder.

    Attributes:
        path: Where it lies.
        relative: Its path within the folder, with `/`.
    """

    path: Path
    relative: str

    @property
    def document_id(self) -> str:
        """The document's name for good: it does not change when the file's content does."""
        return "doc-" + hashlib.sha256(self.relative.encode()).hexdigest()[:12]


def find_files(folder: Path, config: IngestionConfig) -> list[DocumentFile]:
    """Return the files to read, sorted by path.

    Hidden files and folders are skipped; so are links to folders, and links to files
    outside the documents folder.

    Raises:
        DocumentsError: There is no such folder, or no file in it that the patterns select.
    """
    if not folder.exists():
        raise DocumentsError(
            f"There is no documents folder {folder}. Check the path; it is taken from "
            f"{Path.cwd()} if it does not begin with a slash."
        )
    if not folder.is_dir():
        raise DocumentsError(
            f"{folder} is a file, but documents are read from a folder. Name the folder it "
            "lies in, and the file in `include`."
        )
    found = sorted(_walk(folder.resolve()), key=lambda file: file.relative)
    selected = [file for file in found if _selected(file.relative, config)]
    if not selected:
        raise DocumentsError(
            f"No documents in {folder}: {len(found)} files lie there, and none is selected by "
            f"include={list(config.include)}, exclude={list(config.exclude)}. Hidden files "
            "(.name) are never read."
        )
    return selected


def documents_digest(files: Sequence[DocumentFile]) -> str:
    """Return a hash of the files' paths and bytes, not of where the folder lies."""
    return digest([(file.relative, _sha256(file)) for file in files], length=32)


def _sha256(file: DocumentFile) -> str:
    """Return a file's hash; one that may not be read counts, but not by its content."""
    try:
        return file_sha256(file.path)
    except OSError:
        return "unreadable"


def _walk(folder: Path) -> Iterator[DocumentFile]:
    for directory, names, files in os.walk(folder):
        names[:] = [name for name in names if not name.startswith(_HIDDEN_PREFIXES)]
        for name in files:
            path = Path(directory) / name
            if not name.startswith(_HIDDEN_PREFIXES) and _is_inside(path, folder):
                yield DocumentFile(path, path.relative_to(folder).as_posix())


def _is_inside(path: Path, folder: Path) -> bool:
    """Whether a path is a regular file, and not a link to one elsewhere."""
    return path.is_file() and path.resolve().is_relative_to(folder)


def _selected(relative: str, config: IngestionConfig) -> bool:
    included = any(fnmatchcase(relative, pattern) for pattern in config.include)
    return included and not any(fnmatchcase(relative, pattern) for pattern in config.exclude)
