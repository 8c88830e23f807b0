"""Hashes that are remembered are those of the bytes, whatever happened to the files."""

import hashlib
import itertools
import os
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.ingestion.config import IngestionConfig
from tasks.ingestion.discover import find_files
from tasks.ingestion.file_hashes import with_hashes
from tasks.ingestion.ingest import ingest_documents
from tasks.ingestion.sources import DocumentFile
from tasks.memo import Memo

LATER = 10_000_000_000  # as if the files had been lying there for 10 s, in nanoseconds


def look(folder: Path, home: Path, later: int = LATER) -> list[DocumentFile]:
    with Memo(home, "hashes") as memo:
        return with_hashes(
            find_files(folder, IngestionConfig()), memo, now_ns=time.time_ns() + later
        )


def true_hashes(folder: Path) -> dict[str, str]:
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir()}


def hashes(files: list[DocumentFile]) -> dict[str, str]:
    return {file.relative: file.checksum for file in files}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    documents = tmp_path / "documents"
    documents.mkdir()
    for name in ("a.md", "b.md"):
        (documents / name).write_text(f"Text of {name}.")
    return documents


def test_an_unchanged_file_is_not_opened_again(folder, tmp_path, monkeypatch):
    first = look(folder, tmp_path / "home")
    assert hashes(first) == true_hashes(folder)
    (folder / "b.md").write_text("A longer text of b.")
    opened = []
    real = Path.open
    monkeypatch.setattr(
        Path, "open", lambda path, *rest: (opened.append(path.name), real(path, *rest))[1]
    )
    again = look(folder, tmp_path / "home")
    assert opened == ["b.md"]
    monkeypatch.undo()
    assert hashes(again) == true_hashes(folder)


def test_a_modification_time_that_was_set_back_deceives_nobody(folder, tmp_path):
    path = folder / "a.md"
    before = path.stat()
    look(folder, tmp_path / "home")
    while path.stat().st_ctime_ns == before.st_ctime_ns:  # until the kernel's clock ticks
        path.write_text(path.read_text()[::-1])
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    path.write_text("Other of a.md")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert hashes(look(folder, tmp_path / "home")) == true_hashes(folder)


def test_what_changed_just_now_is_hashed_again(folder, tmp_path):
    look(folder, tmp_path / "home", later=0)
    assert list((tmp_path).rglob("*.memo")) == []  # nothing was old enough to be remembered


NAMES = st.sampled_from(["a.md", "b.md", "c.md", "d/e.md"])
EDITS = st.lists(
    st.tuples(st.sampled_from(["write", "remove", "rename"]), NAMES, NAMES), min_size=1, max_size=4
)


def edit(folder: Path, kind: str, name: str, other: str, text: str) -> None:
    path, target = folder / name, folder / other
    if kind == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    elif kind == "remove":
        path.unlink(missing_ok=True)
    elif path.exists():
        target.parent.mkdir(exist_ok=True)
        path.replace(target)


# few: each starts processes that parse
@settings(max_examples=5, deadline=None)
@given(rounds=st.lists(EDITS, min_size=1, max_size=3))
def test_an_increment_is_what_a_fresh_start_makes(rounds: list[list[tuple[str, str, str]]]) -> None:
    config = IngestionConfig(workers=1, boilerplate_min_documents=2)
    lengths = itertools.count(1)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "documents"
        folder.mkdir()
        (folder / "always.md").write_text("This one stays.\n\nAll have this line.")
        for edits in rounds:
            for kind, name, other in edits:
                # no two sizes are equal: the kernel's clock may not tick between two edits
                text = f"Text {'x' * next(lengths)}.\n\nAll have this line."
                edit(folder, kind, name, other, text)
            files = look(folder, Path(place) / "home")
            assert files == with_hashes(find_files(folder, config), None)
            kept = ingest_documents(folder, config, Path(place) / "cache", files=files)
        fresh = ingest_documents(folder, config, Path(place) / "fresh")
        assert kept.kept.equals(fresh.kept) and kept.dropped.equals(fresh.dropped)
        assert kept.artifacts == fresh.artifacts and kept.figures == fresh.figures
