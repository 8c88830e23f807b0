"""Finds the files that documents are read from, and names what they are."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

from data_contracts.base import digest
from data_contracts.errors import DocumentsError
from tasks.ingestion.config import IngestionConfig
from tasks.ingestion.sources import DocumentFile, is_address, list_source

# A folder, a file, a glob or an fsspec address; or several of them.
Documents = str | Path | Sequence[str | Path]

# The parts of the path of a source.
Root = tuple[str, ...]

# Remote files are asked for their hash so many at a time: the wait is the network's.
_HASHING_THREADS = 8


def find_files(documents: Documents, config: IngestionConfig) -> list[DocumentFile]:
    """Return the files to read, sorted by path.

    Hidden files and folders are skipped; so are links to folders, and links to files
    outside the documents folder.

    Args:
        documents: A folder, a file, a glob such as `/data/**/*.md` or an fsspec address such
            as `s3://bucket/docs`; or several of them.
        config: The patterns that select.

    Raises:
        DocumentsError: A source is missing or cannot be listed, or there is no file in any of
            them that the patterns select.
    """
    sources = _as_list(documents)
    roots = [_parts(source) for source in sources]
    names = _root_names(roots)
    found = {
        (root, file.relative): replace(file, relative=names[root] + file.relative)
        for source, root in zip(sources, roots, strict=True)
        for file in list_source(source)
    }
    selected = [file for file in found.values() if _selected(file.relative, config)]
    if not selected:
        raise DocumentsError(
            f"No documents in {describe(documents)}: {len(found)} files lie there, and none is "
            f"selected by include={list(config.include)}, exclude={list(config.exclude)}. Hidden "
            "files (.name) are never read."
        )
    return sorted(selected, key=lambda file: file.relative)


def describe(documents: Documents) -> str:
    """Return the sources as a message names them."""
    return ", ".join(str(source) for source in _as_list(documents))


def documents_digest(files: Sequence[DocumentFile]) -> str:
    """Return a hash of the files' paths and content, not of where they lie.

    A remote file whose file system has a checksum (S3, HTTP, Azure: ETag; Google: MD5) is
    not downloaded for it, nor is a local one read whose hash is known (`with_hashes`). Every
    other file is read once.
    """
    with ThreadPoolExecutor(_HASHING_THREADS) as threads:
        remote = iter(list(threads.map(_version, [file for file in files if file.is_remote])))
    versions = [next(remote) if file.is_remote else _version(file) for file in files]
    return digest([(f.relative, v) for f, v in zip(files, versions, strict=True)], length=32)


def _version(file: DocumentFile) -> str:
    """Return a file's checksum or hash; one that may not be read counts, but not by content."""
    if file.checksum:
        return file.checksum
    try:
        with file.open() as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]
    except OSError:
        return "unreadable"


def _as_list(documents: Documents) -> list[str | Path]:
    return [documents] if isinstance(documents, str | Path) else list(documents)


def _root_names(roots: Sequence[Root]) -> dict[Root, str]:
    """Return what stands before the paths of each root: nothing if there is one root only.

    Elsewhere it is the shortest end of the root's path that no other root shares.
    """
    different = set(roots)
    if len(different) == 1:
        return {root: "" for root in different}
    for length in range(1, max(map(len, different)) + 1):
        names = {root: "/".join(root[-length:]) for root in different}
        if len(set(names.values())) == len(different):
            break
    return {root: f"{name}/" for root, name in names.items()}


def _parts(source: str | Path) -> Root:
    """Return the parts of a source's path, up to a wildcard."""
    text = str(source) if is_address(source) else str(Path(source).expanduser().absolute())
    return tuple(_until_wildcard([part for part in re.split(r"/|::", text) if part]))


def _until_wildcard(parts: Sequence[str]) -> Iterator[str]:
    for part in parts:
        if any(mark in part for mark in "*?["):
            return
        yield part.rstrip(":")


def _selected(relative: str, config: IngestionConfig) -> bool:
    included = any(fnmatchcase(relative, pattern) for pattern in config.include)
    return included and not any(fnmatchcase(relative, pattern) for pattern in config.exclude)
