"""Where documents lie: a folder, a file, a glob, or an address that fsspec can open."""

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from data_contracts.errors import DocumentsError

# Lock files of Office programs begin with the second.
_HIDDEN_PREFIXES = (".", "~$")
_PROTOCOL = re.compile(r"^[a-z][a-z0-9+.-]+:(?://|:)", re.IGNORECASE)
_WILDCARD = re.compile(r"[*?\[]")
# What file systems call the value that changes when a file's bytes do: S3 and HTTP;
# Azure, WebDAV; Google; HTTP; GitHub; Hugging Face. A modification time is none: it has a
# resolution, and copying sets it.
_CHECKSUMS = ("ETag", "etag", "md5Hash", "Content-MD5", "content_md5", "sha", "blob_id")


@dataclass(frozen=True)
class DocumentFile:
    """A file that documents are read from.

    Attributes:
        relative: Its path within the source, with `/`; where there are several sources,
            below the source's name.
        open: Opens it for reading bytes.
        size: Its bytes, where the file system says so.
        checksum: What the file system itself has that names its content; empty if nothing.
        is_remote: Whether opening it goes over a network or through another program.
        stamp: Of a local file: device, inode, size, modification and change time in
            nanoseconds.
    """

    relative: str
    open: Callable[[], AbstractContextManager[BinaryIO]] = field(repr=False, compare=False)
    size: int | None = None
    checksum: str = ""
    is_remote: bool = False
    stamp: tuple[int, ...] = ()

    @property
    def document_id(self) -> str:
        """The document's name for good: it does not change when the file's content does."""
        return document_id(self.relative)


def document_id(relative: str) -> str:
    """Return the identifier of the document at a path within the source."""
    return "doc-" + hashlib.sha256(relative.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def is_address(source: str | Path) -> bool:
    """Whether a source is an address such as `s3://bucket/docs`, not a path."""
    return isinstance(source, str) and _PROTOCOL.match(source) is not None


def list_source(source: str | Path) -> list[DocumentFile]:
    """Return the files of a source, sorted by path; hidden ones are left out.

    Raises:
        DocumentsError: The source does not exist or cannot be listed.
    """
    files = _remote(str(source)) if is_address(source) else _local(Path(source).expanduser())
    return sorted(files, key=lambda file: file.relative)


def _local(source: Path) -> list[DocumentFile]:
    """List a folder, a file or a glob. Links are followed to files within the folder only."""
    pattern = None
    root = source
    if not source.exists() and _WILDCARD.search(str(source)):
        fixed, pattern = _split_glob(str(source))
        root = Path(fixed)
    if not root.exists():
        raise DocumentsError(
            f"There is no documents folder {root}. Check the path; it is taken from "
            f"{Path.cwd()} if it does not begin with a slash."
        )
    root = root.resolve()
    if root.is_file():
        return [_local_file(root, root.name)]
    matches = _matcher(pattern)
    return [file for file in _walk(root) if matches(file.relative)]


def _walk(source: Path) -> Iterator[DocumentFile]:
    """Yield the files of a folder and of those in it; links to folders are not followed."""
    folders = [(str(source), "")]
    while folders:
        folder, below = folders.pop()
        for entry in _entries(folder):
            name = below + entry.name
            if entry.is_dir(follow_symlinks=False):
                folders.append((entry.path, f"{name}/"))
            elif entry.is_file() and (not entry.is_symlink() or _is_inside(entry.path, source)):
                yield _local_file(Path(entry.path), name)


def _entries(folder: str) -> list[os.DirEntry[str]]:
    """Return what is in a folder and not hidden; nothing where it may not be listed."""
    try:
        with os.scandir(folder) as found:
            return [entry for entry in found if not entry.name.startswith(_HIDDEN_PREFIXES)]
    except OSError:
        return []


def _is_inside(link: str, source: Path) -> bool:
    """Whether a link leads to a file within the source."""
    return Path(link).resolve().is_relative_to(source)


def _local_file(path: Path, name: str) -> DocumentFile:
    found = path.stat()
    stamp = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
    return DocumentFile(name, lambda: path.open("rb"), found.st_size, stamp=stamp)


def _split_glob(pattern: str) -> tuple[str, str]:
    """Return the folders above the first wildcard, and the pattern below them."""
    parts = pattern.split("/")
    first = next(n for n, part in enumerate(parts) if _WILDCARD.search(part))
    return "/".join(parts[:first]) or ("/" if pattern.startswith("/") else "."), "/".join(
        parts[first:]
    )


def _matcher(pattern: str | None) -> Callable[[str], bool]:
    if pattern is None:
        return lambda path: True
    from fsspec.utils import glob_translate

    try:
        compiled = re.compile(glob_translate(pattern))
    except ValueError as error:
        raise DocumentsError(
            f"The pattern {pattern!r} cannot be read: {error}. `**` stands for folders, `*` for "
            "a part of a name."
        ) from error
    return lambda path: compiled.match(path) is not None


def _remote(address: str) -> list[DocumentFile]:
    """List an fsspec address: a file, a folder or a glob."""
    filesystem, root = _open_filesystem(address)
    return _guard(address, lambda: list(_find(filesystem, root)))


def _open_filesystem(address: str) -> tuple[Any, str]:
    import fsspec

    try:
        return fsspec.core.url_to_fs(address)  # type: ignore[no-any-return]
    except ImportError as error:  # its message names the package
        raise DocumentsError(
            f"{address} cannot be opened: a package is missing. {error}. Then run again."
        ) from error
    except ValueError as error:
        from fsspec import available_protocols

        known = ", ".join(sorted(available_protocols()))
        raise DocumentsError(
            f"{address} cannot be opened: {error}. Known protocols: {known}."
        ) from error


def _find(filesystem: Any, root: str) -> Iterator[DocumentFile]:
    pattern, depth = None, None
    if _WILDCARD.search(root) and not filesystem.exists(root):
        root, pattern = _split_glob(root)
        depth = None if "**" in pattern else pattern.count("/") + 1
        root = "" if root == "." else root
    is_web = root.startswith("http")
    if is_web and pattern is None and not root.endswith("/"):
        # a page's links would be listed as its files
        yield _remote_file(filesystem, root, root.rsplit("/", 1)[-1], {})
        return
    # elsewhere a folder that cannot be listed raises by itself
    options = {"on_error": "raise"} if is_web else {}
    found = filesystem.find(root, maxdepth=depth, detail=True, **options)
    if not found:
        filesystem.ls(root)  # which raises if there is nothing, instead of listing nothing
    matches = _matcher(pattern)
    for name, info in found.items():
        path = name.removeprefix(root.rstrip("/")).strip("/") or name.rsplit("/", 1)[-1]
        # a web server's listing links to itself in other orders, as `?C=N;O=D`
        hidden = any(part.startswith((*_HIDDEN_PREFIXES, "?")) for part in path.split("/"))
        if not hidden and matches(path) and info.get("type", "file") == "file":
            yield _remote_file(filesystem, name, path, info)


def _remote_file(filesystem: Any, name: str, path: str, info: dict[str, Any]) -> DocumentFile:
    """Describe a file; a listing over HTTP says nothing about a file, so it is asked for."""
    if info.get("size") is None:
        info = filesystem.info(name)
    checksum = next((f"{key}:{info[key]}" for key in _CHECKSUMS if info.get(key)), "")
    return DocumentFile(
        relative=path,
        open=partial(filesystem.open, name, "rb"),
        size=info.get("size"),
        checksum="" if ":W/" in checksum else checksum,  # a weak tag does not mean equal bytes
        is_remote=True,
    )


def _guard(address: str, action: Callable[[], list[DocumentFile]]) -> list[DocumentFile]:
    """Run an action on a file system; what its package raises is told as one error.

    Raises:
        DocumentsError: The action failed.
    """
    try:
        return action()
    except DocumentsError:
        raise
    # packages of fsspec's protocols raise what they like, and the user chooses the package
    except Exception as error:
        cause = f"{type(error).__name__}: {error}"
        raise DocumentsError(
            f"{address} cannot be listed ({cause}). Check the address, the network and the "
            "credentials in the environment."
        ) from error
