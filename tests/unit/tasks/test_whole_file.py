import os
import stat

import pytest

from data_contracts.errors import StorageError
from tasks.whole_file import whole_file, write_record


def break_off(path, error):
    with whole_file(path) as stream:
        stream.write(b"half")
        raise error


def test_a_file_is_there_once_it_is_whole(tmp_path):
    path = tmp_path / "new" / "a.txt"
    with whole_file(path) as stream:
        stream.write(b"whole")
        assert not path.exists()
    assert path.read_bytes() == b"whole"


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_after_an_error_the_earlier_file_is_as_it_was(tmp_path, error):
    path = tmp_path / "a.txt"
    path.write_bytes(b"earlier")
    with pytest.raises(error):
        break_off(path, error)
    assert [(found.name, found.read_bytes()) for found in tmp_path.iterdir()] == [
        ("a.txt", b"earlier")
    ]


def test_a_record_is_on_the_disk_before_it_takes_the_earlier_ones_place(tmp_path, monkeypatch):
    path = tmp_path / "new" / "list.json"
    write_record(path, "earlier", "the list", "nothing was removed")
    synced = []

    def noted(descriptor):
        told = os.fstat(descriptor)
        kind = "folder" if stat.S_ISDIR(told.st_mode) else told.st_size
        synced.append((kind, path.read_text()))

    monkeypatch.setattr(os, "fsync", noted)
    write_record(path, "äfter", "the list", "nothing was removed")
    assert synced == [(6, "earlier"), ("folder", "äfter")]


def test_a_record_that_cannot_be_written_says_what_to_do(tmp_path):
    (tmp_path / "file").write_text("")
    told = (
        "Cannot write the list .*file/list.json: .* Free disk space .* again: nothing was removed."
    )
    with pytest.raises(StorageError, match=told):
        write_record(tmp_path / "file" / "list.json", "", "the list", "nothing was removed")
