"""What `datasets` lays beside saved data, written for a copy: `load_from_disk` wants it."""

import json
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from data_contracts.base import digest
from data_contracts.errors import StorageError

STATE, INFO, SPLITS = "state.json", "dataset_info.json", "dataset_dict.json"

# Characters of a fingerprint, as `datasets` makes them.
_FINGERPRINT = 16

# What is said of the records in numbers, which a copy without some has no more.
_COUNTED = ("splits", "download_checksums", "download_size", "dataset_size", "size_in_bytes")


def copy_state(folder: Path, files: Iterable[Path], left_out: Sequence[str], target: Path) -> None:
    """Write state and description of a copy; nothing where `save_to_disk` did not write the folder.

    A copy gets a fingerprint of its own: by it the library knows what it has in its cache.

    Args:
        folder: What was copied.
        files: Its data files.
        left_out: Names of the records that the copy lacks.
        target: The copy, its data files written already.

    Raises:
        StorageError: They cannot be written.
    """
    saved = sorted({path.parent for path in files if (path.parent / STATE).is_file()})
    try:
        for source in saved:
            copy = target / source.relative_to(folder)
            state = _read(source / STATE)
            name = digest([state.get("_fingerprint"), *sorted(left_out)], length=_FINGERPRINT)
            _write(copy / STATE, state | {"_fingerprint": name})
            info = _read(source / INFO)
            _write(copy / INFO, {key: info[key] for key in info if key not in _COUNTED})
        if saved and (folder / SPLITS).is_file():
            shutil.copyfile(folder / SPLITS, target / SPLITS)
    except (OSError, ValueError) as error:
        raise StorageError(
            f"Cannot write {STATE} and {INFO} of {target}, a copy of {folder}: {error}. Free disk "
            f"space or name another target; a {STATE} or {INFO} that is no JSON must be mended."
        ) from error


def _read(path: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return value


def _write(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=2), encoding="utf-8")
