import pytest

from tasks.whole_file import whole_file


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
