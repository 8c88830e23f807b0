"""Certificates on disk: an audit that was made is not made again."""

from collections.abc import Callable
from pathlib import Path

from data_contracts.dataset import dataset_folder
from data_contracts.results import LeakageCertificate
from tasks.whole_file import write_record

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
    text = f"{certificate.model_dump_json(indent=2)}\n"
    write_record(path, text, "the leakage certificate", "finished work is kept")
    return certificate
