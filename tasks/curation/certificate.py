"""Certificates on disk: an audit that was made is not made again."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from data_contracts.dataset import dataset_folder
from data_contracts.errors import StorageError
from data_contracts.results import LeakageCertificate

FILE = "certificate.json"


def cached_certificate(
    home: Path, fingerprint: str, make: Callable[[], LeakageCertificate]
) -> LeakageCertificate:
    """Return the certificate of that fingerprint, making and storing it when there is none.

    Args:
        home: Temper's home folder.
        fingerprint: Names the dataset, the configuration and the audit's version.
        make: Makes the audit.

    Raises:
        StorageError: The certificate cannot be written.
    """
    path = dataset_folder(home, "audit", fingerprint) / FILE
    if path.is_file():
        return LeakageCertificate.model_validate_json(path.read_text(encoding="utf-8"))
    certificate = make()
    try:
        _write(path, certificate.model_dump_json(indent=2) + "\n")
    except OSError as error:
        raise StorageError(
            f"Cannot write the leakage certificate {path}: {error}. Free disk space or set "
            "TEMPER_HOME to another disk, then run again: finished work is kept."
        ) from error
    return certificate


def _write(path: Path, text: str) -> None:
    """Write to a temporary name and move into place: no half-written certificate exists."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".partial")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
