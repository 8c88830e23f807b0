"""Files that are there whole or not at all: written under another name, then moved into place."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedWriter
from pathlib import Path


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
