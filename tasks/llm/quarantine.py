"""Replies that stayed unusable, and requests that got none: kept for a person to look at."""

import json
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from data_contracts.base import digest
from data_contracts.errors import StorageError


class Quarantine:
    """An append-only file of JSON lines, each entry once.

    Args:
        path: The file; made on the first entry.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known = {entry["id"] for entry in _entries(path)}
        self._lock = threading.Lock()

    def add(self, reason: str, **values: str) -> str:
        """Keep something; return where it lies, as file#id.

        Raises:
            StorageError: The file cannot be written.
        """
        identifier = digest([reason, values], length=16)
        with self._lock:
            if identifier not in self._known:
                when = datetime.now(UTC).isoformat(timespec="seconds")
                self._write({"id": identifier, "reason": reason, **values, "when": when})
                self._known.add(identifier)
        return f"{self.path.name}#{identifier}"

    def _write(self, entry: dict[str, Any]) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(entry, ensure_ascii=False) + "\n")
        except OSError as error:
            raise StorageError(
                f"Cannot write {self.path}: {error}. Free disk space, then run again."
            ) from error


def _entries(path: Path) -> list[dict[str, Any]]:
    """Return the whole entries of a file; a torn one is of no use to anybody."""
    entries = []
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StorageError(f"Cannot read {path}: {error}. Check its permissions.") from error
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and "id" in entry:
            entries.append(entry)
    return entries
