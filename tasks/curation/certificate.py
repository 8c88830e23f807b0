"""Certificates on disk: an audit that was made is not made again."""

from collections.abc import Callable
from pathlib import Path

from data_contracts.dataset import dataset_folder
from data_contracts.errors import StorageError
from data_contracts.results import LeakageCertificate
from tasks.whole_file import whole_file

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
        with whole_file(path) as stream:
            stream.write((certificate.model_dump_json(indent=2) + "\n").encode())
    except OSError as error:
        raise StorageError(
            f"Cannot write the leakage certificate {path}: {error}. Free disk space or set "
            "TEMPER_HOME to another disk, then run again: finished work is kept."
        ) from error
    return certificate
