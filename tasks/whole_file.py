"""Files that are there whole or not at all: written under another name, then moved into place."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedWriter
from pathlib import Path

from data_contracts.errors import StorageError


@contextmanager
def whole_file(path: Path) -> Iterator[BufferedWriter]:
    """Yield a stream whose bytes become the file once the block has ended without an error.

    Folders above it are made. Until then an earlier file stays as it is, and after an error
    nothing is left behind.

    Raises:
        OSError: It cannot be written; who calls says what that means.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".partial")
    try:
        with os.fdopen(handle, "wb") as stream:
            yield stream
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_record(path: Path, text: str, what: str, until_then: str) -> None:
    """Replace a small file in one step, so that it outlives a loss of power as well.

    Args:
        path: The file.
        text: Its content.
        what: It is, for the message of an error.
        until_then: What is the case while it is not written, for the same.

    Raises:
        StorageError: It cannot be written.
    """
    try:
        with whole_file(path) as stream:
            stream.write(text.encode())
            stream.flush()
            os.fsync(stream.fileno())
        _sync_names(path.parent)
    except OSError as error:
        raise StorageError(
            f"Cannot write {what} {path}: {error}. Free disk space or set TEMPER_HOME to another "
            f"disk, then run again: {until_then}."
        ) from error


def _sync_names(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
