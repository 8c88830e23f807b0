import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_contracts.errors import StorageError
from tasks.ingestion.changes import (
    compare_versions,
    document_versions,
    note_seen,
    read_seen,
    seen_path,
)
from tasks.ingestion.config import IngestionConfig
from tasks.ingestion.discover import find_files

VERSIONS = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from("12"))


@given(VERSIONS, VERSIONS)
def test_every_path_that_differs_is_told_once_and_in_its_list(before, now):
    changes = compare_versions(before, now)
    told = [*changes.added, *changes.changed, *changes.removed]
    differing = {path for path in before | now if before.get(path) != now.get(path)}
    assert len(told) == len(set(told)) and set(told) == differing
    assert set(changes.added) <= now.keys() - before.keys()
    assert set(changes.removed) <= before.keys() - now.keys()
    assert bool(changes) == (before != now)


def test_a_changed_byte_is_a_change_and_a_touched_file_is_none(tmp_path):
    document = tmp_path / "a.md"
    document.write_text("A lantern.")

    def look():
        return document_versions(find_files(str(tmp_path), IngestionConfig()))

    first = look()
    document.touch()
    assert look() == first
    document.write_text("A lamp....")  # of the same length
    assert compare_versions(first, look()).changed == ["a.md"]


def test_what_was_noted_is_read_back_and_a_damaged_note_is_told(tmp_path):
    note = seen_path(tmp_path, "demo /documents")
    assert read_seen(note) is None
    note_seen(note, {"a.md": "1"})
    assert read_seen(note) == {"a.md": "1"}
    note.write_text("{")
    with pytest.raises(StorageError, match="Delete it"):
        read_seen(note)
