"""A folder as untidy as life."""

import zipfile
from pathlib import Path

import pytest

from data_contracts.errors import DocumentsError
from data_contracts.schemas import DOCUMENT, dropped_schema
from data_contracts.validation import schema_failures
from tasks.ingestion.config import IngestionConfig
from tasks.ingestion.ingest import ingest_documents
from tests.unit.ingestion.conftest import PNG

WORDS = ("leave is 25 days", "the office opens at 8", "dogs may enter", "a", "b")
PAGE = "<html><body><p>The gate closes at nine.</p></body></html>"
LATIN = "Das Café öffnet früh, täglich um sieben."
FOOTER = "\n\nStaff handbook. For internal use only."


@pytest.fixture
def folder(tmp_path: Path, make_pdf) -> Path:
    documents = tmp_path / "documents"
    documents.mkdir()
    for n, words in enumerate(WORDS):
        (documents / f"page{n}.md").write_text(f"# Page {words}\n\nHere **{words}**.{FOOTER}")
    (documents / "copy.md").write_bytes((documents / "page0.md").read_bytes())
    (documents / "empty.txt").write_text(" \n")
    (documents / "cut.pdf").write_bytes(make_pdf([[("Hello", 60, 700, 10)]])[:200])
    (documents / "plan.pdf").write_bytes(PNG)
    (documents / "scan.pdf").write_bytes(make_pdf([[]]))
    (documents / "big.txt").write_text("many words " * 1000)
    (documents / "really-html.docx").write_text(PAGE)
    (documents / "latin.txt").write_bytes(LATIN.encode("cp1252"))
    (documents / "only-footer.md").write_text(FOOTER)
    return documents


CONFIG = IngestionConfig(max_file_bytes=5_000, boilerplate_min_documents=4)


def test_every_file_is_kept_or_dropped_with_its_reason(folder: Path, tmp_path: Path) -> None:
    result = ingest_documents(folder, CONFIG, tmp_path / "cache")
    reasons = {row["path"]: row["reason"] for row in result.dropped.to_pylist()}
    assert reasons == {
        "page0.md": "duplicate_file",  # copy.md comes first
        "empty.txt": "empty",
        "cut.pdf": "corrupt",
        "plan.pdf": "unsupported",
        "scan.pdf": "scanned",
        "big.txt": "too_large",
        "only-footer.md": "no_text",
    }
    assert result.kept.num_rows + result.dropped.num_rows == result.rows_in == 14
    assert schema_failures(result.kept, DOCUMENT) == []
    assert schema_failures(result.dropped, dropped_schema(DOCUMENT)) == []
    assert all(row["detail"] for row in result.dropped.to_pylist())


def test_kept_rows_say_what_they_are(folder: Path, tmp_path: Path) -> None:
    rows = {
        row["path"]: row
        for row in ingest_documents(folder, CONFIG, tmp_path / "cache").kept.to_pylist()
    }
    assert rows["page1.md"]["text"] == "# Page the office opens at 8\n\nHere the office opens at 8."
    assert rows["page1.md"]["title"] == "Page the office opens at 8"
    assert FOOTER.strip() in rows["page1.md"]["raw_text"]
    assert rows["really-html.docx"]["parser"] == "html"
    assert rows["really-html.docx"]["text"] == "The gate closes at nine."
    assert rows["latin.txt"]["text"].startswith("Das Café öffnet früh")
    assert rows["latin.txt"]["title"] == "Latin"


def test_lock_files_are_dropped_also_in_archives_and_read_on_request(tmp_path: Path) -> None:
    documents = tmp_path / "documents"
    documents.mkdir()
    (documents / "lock.md").write_text("# Lock\n\nThe lock of the harbour opens at noon.\n")
    locked = '{"packages": {"left-pad": {"version": "1.3.0", "integrity": "sha512-plain"}}}'
    (documents / "package-lock.json").write_text(locked)
    (documents / "Cargo.lock").write_text("[[package]]\nname = 'left pad of the harbour'\n")
    with zipfile.ZipFile(documents / "site.zip", "w") as archive:
        archive.writestr("web/yarn.lock", "left-pad of the harbour")
    found = ingest_documents(documents, IngestionConfig(), tmp_path / "cache")
    reasons = {row["path"]: row["reason"] for row in found.dropped.to_pylist()}
    assert reasons == {
        name: "lock_file" for name in ("package-lock.json", "Cargo.lock", "site.zip/web/yarn.lock")
    }
    read = ingest_documents(documents, IngestionConfig(lock_files=True), tmp_path / "cache")
    assert "package-lock.json" in read.kept.column("path").to_pylist()


def test_one_changed_file_is_parsed_alone(folder: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"

    def partitions() -> set[Path]:
        return set(cache.rglob("*.arrow"))

    first = ingest_documents(folder, CONFIG, cache)
    before = partitions()
    assert ingest_documents(folder, CONFIG, cache).kept.equals(first.kept)
    assert partitions() == before
    (folder / "page3.md").write_text("# New\n\nQuite another text.")
    changed = ingest_documents(folder, CONFIG, cache)
    assert len(partitions() - before) == 1
    assert "# New\n\nQuite another text." in changed.kept["text"].to_pylist()


def test_nothing_kept_says_how_many_and_why(tmp_path: Path) -> None:
    documents = tmp_path / "documents"
    documents.mkdir()
    (documents / "a.png").write_bytes(PNG)
    (documents / "b.txt").write_text("")
    with pytest.raises(DocumentsError, match=r"None of the 2 files .*1 empty, 1 unsupported"):
        ingest_documents(documents, CONFIG, tmp_path / "cache")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_files_cut_short_never_stop_ingestion(
    share: float, tmp_path: Path, make_pdf, docx_bytes, workbook, save_workbook
) -> None:
    documents = tmp_path / "documents"
    documents.mkdir()
    whole = {
        "a.pdf": make_pdf([[("Hello there", 60, 700, 10)]]),
        "b.docx": docx_bytes,
        "c.xlsx": save_workbook(workbook),
        "d.html": b"<html><body><p>Some words of a page.</p></body></html>" * 9,
    }
    for name, content in whole.items():
        (documents / name).write_bytes(content[: int(len(content) * share)])
    (documents / "sound.md").write_text("Sound words.")
    result = ingest_documents(documents, IngestionConfig(), tmp_path / "cache")
    assert result.kept.num_rows + result.dropped.num_rows == 5
    assert "sound.md" in result.kept["path"].to_pylist()


def test_nothing_personal_is_stored_and_other_languages_are_dropped(tmp_path: Path) -> None:
    documents = tmp_path / "documents"
    documents.mkdir()
    (documents / "leave.md").write_text(
        "---\ntitle: Ask bob@x.org\n---\n\nThe office opens at eight. Ask bob@x.org, or bob@x.org."
    )
    (documents / "urlaub.md").write_text("Jeder Mitarbeiter hat 25 Urlaubstage im Jahr.")
    (documents / "short.md").write_text("OK")
    cache = tmp_path / "cache"
    result = ingest_documents(documents, IngestionConfig(languages=("en",)), cache)
    rows = {row["path"]: row for row in result.kept.to_pylist()}
    assert rows.keys() == {"leave.md", "short.md"}
    assert "bob" not in str(rows) and rows["leave.md"]["language"] == "en"
    assert {"kind": "scrubbed.email", "count": 2} in rows["leave.md"]["changes"]
    assert result.figures["changes.scrubbed.email"] == 2
    assert result.figures["language.en"] == result.figures["language.unknown"] == 1
    (dropped,) = result.dropped.to_pylist()
    assert (dropped["reason"], dropped["language"]) == ("other_language", "de")
    assert not any(b"bob@" in path.read_bytes() for path in cache.rglob("*.arrow"))
