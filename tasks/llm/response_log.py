"""Every reply of a language model, kept in an append-only file: none is paid for twice.

One JSON object a line, keyed by the digest of everything that the reply depends on. Each
line reaches the disk before its reply is used, so a killed run goes on where it was. A line
torn by a crash is skipped, and its question is asked again.

Several processes may use one log: an append holds a lock, what others appended is seen, and
`claim` keeps two from asking the same at the same time. Where a reply lies in the file is
kept in a second one (`.index`), so that a long log opens fast; without it the log is read.
"""

import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from data_contracts.base import Result
from data_contracts.errors import StorageError
from tasks.file_lock import file_lock

# The index is written anew when this many bytes of the log are not in it: reading them
# takes about a tenth of a second.
INDEX_AFTER_BYTES = 4 << 20


class Completion(Result):
    """One reply of a model.

    `finish_reason` is the endpoint's own word: `stop`, or `length` for a reply cut short.
    """

    text: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    seconds: float


class ResponseLog:
    """The replies in one file.

    Args:
        path: The file; made on the first append.

    Raises:
        StorageError: The file exists but cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._index = path.with_name(f"{path.name}.index")
        self._file_lock = file_lock(path.with_name(f"{path.name}.lock").absolute())
        self._lock = threading.RLock()
        self._places: dict[str, tuple[int, int]] = {}
        self._read = self._indexed = 0
        self._load_index()
        self.refresh()

    def __len__(self) -> int:
        return len(self._places)

    def get(self, key: str) -> Completion | None:
        """Return the reply under that key, if it is known.

        Raises:
            StorageError: The file cannot be read.
        """
        with self._lock:
            place = self._places.get(key)
            if place is None:
                return None
            entry = _entry(self._bytes(*place))
            if entry is None or entry[0] != key:  # the index is of another file
                self._forget()
                return self.get(key)
            return entry[1]

    def refresh(self) -> None:
        """Take note of what other processes appended.

        Raises:
            StorageError: The file cannot be read.
        """
        with self._lock:
            size = self._size()
            if size < self._read:
                self._forget()
            elif size > self._read:
                self._scan(self._bytes(self._read, size - self._read))
            if self._read - self._indexed > INDEX_AFTER_BYTES:
                self._save_index()

    @contextmanager
    def claim(self, key: str) -> Iterator[None]:
        """Keep other processes from asking what goes by this key, and see what they asked."""
        with self._file_lock.held(key):
            self.refresh()
            yield

    def append(self, key: str, completion: Completion) -> None:
        """Store a reply; it is on the disk when this returns.

        Raises:
            StorageError: It cannot be written.
        """
        line = json.dumps({"key": key, **completion.model_dump()}, ensure_ascii=False) + "\n"
        with self._lock:
            try:
                with self._file_lock.held("append"):
                    self._write(line.encode())
            except OSError as error:
                raise StorageError(
                    f"Cannot write {self.path}: {error}. Free disk space, then run again: "
                    "all replies so far are kept."
                ) from error
            self.refresh()

    def remove(self, unwanted: Callable[[str, Completion], bool]) -> int:
        """Take replies out of the file for good and return how many.

        Args:
            unwanted: Given a key and its reply, says whether it goes.

        Raises:
            StorageError: The file cannot be read or written.
        """
        with self._lock, self._file_lock.held("append"):
            lines = self._bytes(0, self._size()).splitlines(keepends=True) if self._size() else []
            entries = [_entry(line) for line in lines]
            kept = [
                line
                for line, entry in zip(lines, entries, strict=True)
                if entry is not None and not unwanted(*entry)
            ]
            gone = sum(entry is not None for entry in entries) - len(kept)
            if gone:
                self._replace(b"".join(kept))
                self._forget()
            return gone

    def _replace(self, content: bytes) -> None:
        unfinished = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        try:
            unfinished.write_bytes(content)
            unfinished.replace(self.path)
        except OSError as error:
            unfinished.unlink(missing_ok=True)
            raise StorageError(
                f"Cannot write {self.path}: {error}. Free disk space, then run again."
            ) from error

    def _write(self, line: bytes) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab+") as stream:
            if stream.tell() and self._bytes(stream.tell() - 1, 1) != b"\n":
                line = b"\n" + line  # a crash left a torn line
            stream.write(line)
            stream.flush()
            os.fsync(stream.fileno())

    def _scan(self, content: bytes) -> None:
        """Note where the whole lines of a piece that begins at `_read` lie."""
        whole = content[: content.rfind(b"\n") + 1]
        for line in whole.splitlines(keepends=True):
            entry = _entry(line)
            if entry is not None:
                self._places[entry[0]] = (self._read, len(line))
            self._read += len(line)

    def _forget(self) -> None:
        self._places, self._read, self._indexed = {}, 0, 0
        self._index.unlink(missing_ok=True)
        self.refresh()

    def _size(self) -> int:
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0
        except OSError as error:
            raise self._unreadable(error) from error

    def _bytes(self, start: int, length: int) -> bytes:
        try:
            with self.path.open("rb") as stream:
                stream.seek(start)
                return stream.read(length)
        except OSError as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: OSError) -> StorageError:
        return StorageError(f"Cannot read {self.path}: {error}. Check its permissions.")

    def _load_index(self) -> None:
        try:
            index = json.loads(self._index.read_bytes())
            self._places = {
                key: (start, length) for key, (start, length) in index["places"].items()
            }
            self._read = self._indexed = int(index["read"])
            if not self._is_of_this_log():
                raise ValueError("the index of another file")
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError):  # a cache: the log has it all
            self._places, self._read, self._indexed = {}, 0, 0

    def _is_of_this_log(self) -> bool:
        """Whether the newest reply lies where the index says."""
        key, place = next(reversed(self._places.items()), ("", (0, 0)))
        entry = _entry(self._bytes(*place))
        return entry is not None and entry[0] == key

    def _save_index(self) -> None:
        """Write the index in one step; failing that, the next run reads the log instead."""
        content = json.dumps({"read": self._read, "places": self._places})
        unfinished = self._index.with_name(f"{self._index.name}.{os.getpid()}")
        try:
            unfinished.write_text(content)
            unfinished.replace(self._index)
        except OSError:
            unfinished.unlink(missing_ok=True)
        self._indexed = self._read


def _entry(line: bytes) -> tuple[str, Completion] | None:
    try:
        values = json.loads(line)
        return str(values.pop("key")), Completion.model_validate(values)
    except (ValueError, KeyError, AttributeError, ValidationError):
        return None
