"""A hundred of the benchmark's broken and hostile files, all at once."""

import typing
from pathlib import Path

from benchmarks.broken_documents import write_broken_files
from tasks.ingestion.config import IngestionConfig
from tasks.ingestion.ingest import ingest_documents
from tasks.ingestion.parser import DropReason


def tree(folder: Path) -> dict[str, int]:
    return {str(path): path.lstat().st_mtime_ns for path in folder.rglob("*")}


def test_each_ends_as_a_row_and_nothing_is_written_elsewhere(tmp_path: Path, monkeypatch) -> None:
    place = tmp_path / "a" / "b" / "documents"
    names = write_broken_files(place, 100, seed=3)
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    before = tree(tmp_path)
    config = IngestionConfig(seconds_per_file=1.0, memory_per_file_bytes=1_000_000_000)
    result = ingest_documents(place, config, tmp_path / "home" / "cache")

    written = set(tree(tmp_path)) - set(before)
    assert {path for path in written if not path.startswith(str(tmp_path / "home"))} == set()
    assert before.items() <= tree(tmp_path).items() | {(str(tmp_path), before.get(str(tmp_path)))}

    dropped = result.dropped.to_pylist()
    rows = [row["path"] for row in dropped] + result.kept["path"].to_pylist()
    assert len(rows) == result.rows_in
    assert {"/".join(path.split("/")[:2]) for path in rows} == set(names)
    assert {row["reason"] for row in dropped} <= set(typing.get_args(DropReason))
    assert all(row["detail"] for row in dropped)
    assert "crashed" not in {row["reason"] for row in dropped}
