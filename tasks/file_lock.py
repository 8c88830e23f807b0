"""Locks between processes, by name, in one file; they end with the process that holds them."""

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from hashlib import sha256
from pathlib import Path

from data_contracts.errors import StorageError

# Names are spread over so many bytes of the lock file, which stays empty.
_BYTES = 1 << 40

# How often to look whether another process has let go. Waiting in the kernel would be
# shorter, but POSIX looks for deadlocks by process and sees some where threads have none.
POLL_SECONDS = 0.02


class FileLock:
    """Named locks; a process may hold many, each for one of its threads.

    Args:
        path: The lock file; made when first needed, and never removed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: int | None = None
        self._held: set[int] = set()
        self._changed = threading.Condition()

    @contextmanager
    def held(self, name: str) -> Iterator[None]:
        """Hold the lock of that name; waits for other threads and processes.

        Raises:
            StorageError: The lock file cannot be made, or its disk has no locks.
        """
        place = int.from_bytes(sha256(name.encode()).digest()[:8], "big") % _BYTES
        with self._changed:
            self._changed.wait_for(lambda: place not in self._held)
            self._held.add(place)
        try:
            self._take(place)
            yield
        finally:
            self._release(place)

    def _take(self, place: int) -> None:
        while True:
            try:
                fcntl.lockf(self._opened(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
            except BlockingIOError:
                time.sleep(POLL_SECONDS)
            except OSError as error:
                raise StorageError(
                    f"Cannot lock {self.path}: {error}. Set TEMPER_HOME to a disk whose "
                    "file system has locks."
                ) from error
            else:
                return

    def _release(self, place: int) -> None:
        with self._changed:
            if self._file is not None:
                fcntl.lockf(self._file, fcntl.LOCK_UN, 1, place)
            self._held.discard(place)
            self._changed.notify_all()

    def _opened(self) -> int:
        """Return the one descriptor of the file: closing any other would drop all locks."""
        with self._changed:
            try:
                if self._file is None:
                    self.path.parent.mkdir(parents=True, exist_ok=True)
                    self._file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
                return self._file
            except OSError as error:
                raise StorageError(
                    f"Cannot make {self.path}: {error}. Check its permissions and free disk space."
                ) from error


@cache
def file_lock(path: Path) -> FileLock:
    """Return this process's locks in a file: POSIX knows but one holder a process."""
    return FileLock(path)


def one_at_a_time(home: Path, name: str) -> AbstractContextManager[None]:
    """Let one run at a time make what has that name in a home folder: others wait, and find it.

    Args:
        home: Temper's home folder.
        name: A fingerprint, or what else no two runs may write at once.
    """
    return file_lock((home / "runs.lock").absolute()).held(name)
