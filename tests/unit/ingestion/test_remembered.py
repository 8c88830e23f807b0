"""Documents ingested after an edit are those of a fresh start; only what is new is read."""

from pathlib import Path
from random import Random

import pytest

from data_contracts.dataset import StageResult, content_sha256
from tasks.ingestion.config import IngestionConfig
from tasks.ingestion.discover import find_files
from tasks.ingestion.file_hashes import with_hashes
from tasks.ingestion.ingest import ingest_documents

CONFIG = IngestionConfig(boilerplate_min_documents=4, languages=("en",), workers=1)
FOOTERS = ("For internal use only.", "Printed on recycled paper.", "")


def ingest(folder: Path, cache: Path) -> StageResult:
    files = with_hashes(find_files(folder, CONFIG), None)
    return ingest_documents(folder, CONFIG, cache, files=files)


def outcome(result: StageResult) -> tuple[object, ...]:
    tables = content_sha256(result.kept), content_sha256(result.dropped)
    return *tables, result.figures, result.artifacts, result.rows_in


def write(folder: Path, number: int, random: Random) -> None:
    """Write a document that may be a copy, empty, foreign, or have a line of the others."""
    kind = random.choice(["own", "own", "own", "copy", "empty", "foreign"])
    texts = {
        "own": f"# Note {number}\n\nThe gate {chr(97 + number)} opens at eight.",
        "copy": "# Copy\n\nThe harbour office is open on every working day of the week.",
        "empty": " ",
        "foreign": "Jeder Mitarbeiter hat im Jahr 25 Urlaubstage, die er nehmen muss.",
    }
    footer = random.choice(FOOTERS) if kind == "own" else ""
    (folder / f"{number:02}.md").write_text(f"{texts[kind]}\n\n{footer}".strip() or " ")


@pytest.mark.parametrize("seed", range(3))
def test_after_an_edit_the_result_is_that_of_a_fresh_start(tmp_path: Path, seed: int) -> None:
    random, folder = Random(seed), tmp_path / "documents"
    folder.mkdir()
    for number in range(12):
        write(folder, number, random)
    for turn in range(4):
        found = outcome(ingest(folder, tmp_path / "cache"))
        assert found == outcome(ingest(folder, tmp_path / f"fresh-{turn}"))
        write(folder, random.randrange(14), random)
        if turn == 1:
            next(folder.iterdir()).unlink()


def test_what_is_known_is_not_read_from_the_cache(tmp_path: Path, monkeypatch) -> None:
    folder = tmp_path / "documents"
    folder.mkdir()
    for number in range(5):
        (folder / f"{number}.md").write_text(f"The gate {chr(97 + number)} opens at eight.")
    first = ingest(folder, tmp_path / "cache")

    def read(path: Path) -> None:
        raise AssertionError(f"{path} was read")

    monkeypatch.setattr("tasks.ingestion.parse.read_partition", read)
    assert outcome(ingest(folder, tmp_path / "cache")) == outcome(first)


def test_a_copy_that_shares_no_line_with_the_others_is_dropped(tmp_path: Path) -> None:
    folder = tmp_path / "documents"
    folder.mkdir()
    for name in ("a", "b"):
        (folder / f"{name}.md").write_text("The gate opens at eight.")
    found = ingest(folder, tmp_path / "cache")
    assert found.kept.column("path").to_pylist() == ["a.md"]
    assert found.dropped.column("reason").to_pylist() == ["duplicate_file"]
