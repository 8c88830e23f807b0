from pathlib import Path

import pytest

from data_contracts.errors import StorageError
from data_contracts.results import LeakageCertificate
from tasks.curation.certificate import cached_certificate

CERTIFICATE = LeakageCertificate(
    rows={"train": 1}, groups={"train": 1}, shared_groups=0, findings=[],
    ignored_template_ngrams=0, passed=True,
)  # fmt: skip


def refuse() -> LeakageCertificate:
    raise AssertionError("made again")


def test_a_certificate_is_made_once(tmp_path: Path) -> None:
    made = cached_certificate(tmp_path, "f1", lambda: CERTIFICATE)
    assert made == CERTIFICATE
    assert (tmp_path / "datasets" / "audit" / "f1" / "certificate.json").is_file()
    assert cached_certificate(tmp_path, "f1", refuse) == CERTIFICATE
    with pytest.raises(AssertionError, match="made again"):
        cached_certificate(tmp_path, "f2", refuse)


def test_a_folder_that_cannot_be_written_is_an_answer(tmp_path: Path) -> None:
    (tmp_path / "datasets").write_text("a file where a folder must be")
    with pytest.raises(StorageError, match="leakage certificate"):
        cached_certificate(tmp_path, "f1", lambda: CERTIFICATE)


def test_a_write_that_breaks_off_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(StorageError, match="No space left"):
        cached_certificate(tmp_path, "f1", lambda: CERTIFICATE)
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []
