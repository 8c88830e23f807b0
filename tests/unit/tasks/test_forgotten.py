import zipfile

import pytest

from data_contracts.errors import DatasetError
from tasks.forgotten import (
    Forgotten,
    ForgottenDocument,
    forgotten_path,
    read_forgotten,
    write_forgotten,
)
from tasks.ingestion.config import IngestionConfig
from tasks.ingestion.ingest import ingest_documents

SECRET = "The quartermaster keeps the spare key under the third barrel."


@pytest.fixture
def folder(tmp_path):
    documents = tmp_path / "documents"
    documents.mkdir()
    (documents / "secret.md").write_text(f"# Keys\n\n{SECRET}\n")
    (documents / "copy.md").write_text(f"# Keys\n\n{SECRET}\n")
    (documents / "open.md").write_text("# Gate\n\nThe gate opens at six.\n")
    with zipfile.ZipFile(documents / "box.zip", "w") as box:
        box.writestr("secret.md", f"# In the box\n\n{SECRET}\n")
        box.writestr("plain.md", "# Box\n\nA box holds twelve lamps.\n")
    return documents


def forget(row):
    names = ("document_id", "path", "sha256")
    entry = ForgottenDocument(**{name: row[name] for name in names}, since="2026-01-01")
    return Forgotten(documents=(entry,))


def test_a_forgotten_document_and_its_copies_are_left_out_of_rows_and_cache(folder, tmp_path):
    before = ingest_documents(folder, IngestionConfig(workers=1), tmp_path / "cache")
    rows = {row["path"]: row for row in [*before.kept.to_pylist(), *before.dropped.to_pylist()]}
    cache = tmp_path / "other"
    after = ingest_documents(folder, IngestionConfig(workers=1), cache, forget(rows["secret.md"]))
    assert {row["path"] for row in after.kept.to_pylist()} == {
        "open.md", "box.zip/plain.md", "box.zip/secret.md",
    }  # fmt: skip
    gone = {row["path"]: row for row in after.dropped.to_pylist()}
    assert {row["reason"] for row in gone.values()} == {"forgotten"}
    assert set(gone) == {"secret.md", "copy.md"}
    assert after.rows_in == before.rows_in
    assert all(row["text"] is None for row in gone.values())


def test_a_member_of_an_archive_is_left_out_whether_the_archive_is_known_or_not(folder, tmp_path):
    (folder / "secret.md").unlink()
    (folder / "copy.md").unlink()
    config = IngestionConfig(workers=1)
    before = ingest_documents(folder, config, tmp_path / "cache")
    [member] = [row for row in before.kept.to_pylist() if row["path"] == "box.zip/secret.md"]
    for cache in (tmp_path / "cache", tmp_path / "empty"):
        after = ingest_documents(folder, config, cache, forget(member))
        assert [row["path"] for row in after.kept.to_pylist()] == ["box.zip/plain.md", "open.md"]
        [gone] = after.dropped.to_pylist()
        assert (gone["path"], gone["reason"]) == ("box.zip/secret.md", "forgotten")
    stored = [path for path in (tmp_path / "empty").rglob("*.arrow")]
    assert stored
    assert not any(SECRET.encode() in path.read_bytes() for path in stored)


def test_a_list_is_kept_by_name_and_grows(tmp_path):
    path = forgotten_path(tmp_path, "our handbook")
    assert path != forgotten_path(tmp_path, "their handbook")
    assert read_forgotten(path).documents == ()
    first = ForgottenDocument(document_id="a", path="a.md", sha256=None, since="2026-01-01")
    again = first.model_copy(update={"since": "2027-01-01"})
    other = ForgottenDocument(document_id="b", path="b.md", sha256="c", since="2026-01-01")
    write_forgotten(path, Forgotten(documents=(first,)))
    write_forgotten(path, read_forgotten(path).joined([again, other]))
    found = read_forgotten(path)
    assert [(d.document_id, d.since) for d in found.documents] == [
        ("a", "2026-01-01"), ("b", "2026-01-01"),
    ]  # fmt: skip
    assert found.digest() != Forgotten(documents=(first,)).digest()


def test_a_broken_list_stops_the_build(tmp_path):
    path = forgotten_path(tmp_path, "ours")
    path.parent.mkdir()
    path.write_text("{")
    with pytest.raises(DatasetError, match="are read again"):
        read_forgotten(path)
