"""Which files count as documents."""

from pathlib import Path

import pytest

from data_contracts.errors import DocumentsError
from tasks.ingestion.config import IngestionConfig
from tasks.ingestion.discover import documents_digest, find_files


def relative(folder: Path, **options: object) -> list[str]:
    return [file.relative for file in find_files(folder, IngestionConfig(**options))]


def test_files_come_sorted_and_hidden_ones_not_at_all(tmp_path: Path) -> None:
    for name in ("b.md", "a/z.txt", "a/.secret.md", ".git/config.md", "~$lock.docx"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    assert relative(tmp_path) == ["a/z.txt", "b.md"]


def test_links_out_of_the_folder_are_not_followed(tmp_path: Path) -> None:
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    outside.mkdir()
    inside.mkdir()
    (outside / "secret.md").write_text("x")
    (inside / "own.md").write_text("x")
    (inside / "link.md").symlink_to(outside / "secret.md")
    (inside / "folder").symlink_to(outside)
    (inside / "near.md").symlink_to(inside / "own.md")
    assert relative(inside) == ["near.md", "own.md"]


def test_patterns_select(tmp_path: Path) -> None:
    (tmp_path / "drafts").mkdir()
    for name in ("a.md", "b.txt", "drafts/c.md"):
        (tmp_path / name).write_text("x")
    assert relative(tmp_path, include=("*.md",), exclude=("drafts/*",)) == ["a.md"]


def test_missing_folder_and_nothing_selected_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("x")
    with pytest.raises(DocumentsError, match="no documents folder"):
        relative(tmp_path / "none")
    with pytest.raises(DocumentsError, match="1 files lie there"):
        relative(tmp_path, include=("*.pdf",))


def test_digest_names_content_and_paths_but_not_the_place(tmp_path: Path) -> None:
    def digest(folder: Path) -> str:
        return documents_digest(find_files(folder, IngestionConfig()))

    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.md").write_text("x")
    first = digest(tmp_path / "one")
    assert first == digest(tmp_path / "two")
    (tmp_path / "two" / "a.md").write_text("y")
    assert first != digest(tmp_path / "two")
    (tmp_path / "one" / "a.md").rename(tmp_path / "one" / "b.md")
    assert first != digest(tmp_path / "one")


def test_document_id_depends_on_the_relative_path_only(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("x")
    (before,) = find_files(tmp_path, IngestionConfig())
    (tmp_path / "a.md").write_text("changed")
    (after,) = find_files(tmp_path, IngestionConfig())
    assert before.document_id == after.document_id
    assert before.document_id.startswith("doc-")
    assert len(before.document_id) == 16
