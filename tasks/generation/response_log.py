"""Every reply of a language model, kept in an append-only file: none is paid for twice.

One JSON object a line, keyed by the digest of everything that the reply depends on. Each
line reaches the disk before its reply is used, so a killed run goes on where it was. A
line torn by a crash is skipped when the file is read, and its question is asked again.
"""

import json
import os
import threading
from pathlib import Path

from data_contracts.base import Result
from data_contracts.errors import StorageError


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
        self._lock = threading.Lock()
        self._replies, self._torn = _read(path)

    def __len__(self) -> int:
        return len(self._replies)

    def get(self, key: str) -> Completion | None:
        """Return the reply under that key, if it is known."""
        return self._replies.get(key)

    def append(self, key: str, completion: Completion) -> None:
        """Store a reply; it is on the disk when this returns.

        Raises:
            StorageError: It cannot be written.
        """
        line = json.dumps({"key": key, **completion.model_dump()}, ensure_ascii=False) + "\n"
        with self._lock:
            try:
                self._write(line)
            except OSError as error:
                raise StorageError(
                    f"Cannot write {self.path}: {error}. Free disk space, then run again: "
                    "all replies so far are kept."
                ) from error
            self._replies[key] = completion

    def _write(self, line: str) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        start = "\n" if self._torn else ""
        with self.path.open("ab") as stream:
            stream.write((start + line).encode())
            stream.flush()
            os.fsync(stream.fileno())
        self._torn = False


def _read(path: Path) -> tuple[dict[str, Completion], bool]:
    """Return the replies in a file, and whether its last line was torn."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return {}, False
    except OSError as error:
        raise StorageError(f"Cannot read {path}: {error}. Check its permissions.") from error
    replies = {}
    for line in content.split(b"\n"):
        entry = _entry(line)
        if entry is not None:
            replies[entry[0]] = entry[1]
    return replies, bool(content) and not content.endswith(b"\n")


def _entry(line: bytes) -> tuple[str, Completion] | None:
    try:
        values = json.loads(line)
        return values.pop("key"), Completion.model_validate(values)
    except (ValueError, KeyError, AttributeError):
        return None
