import pytest

from data_contracts.errors import StorageError
from tasks.memo import Memo, read_memo, recall


def use(folder, keys, basis="b"):
    made = []

    def make(key):
        made.append(key)
        return f"of {key}".encode()

    with Memo(folder, basis) as memo:
        found = [recall(memo, lambda key=key: key, lambda key=key: make(key)) for key in keys]
    assert found == [f"of {key}".encode() for key in keys]
    return made


def test_only_what_is_new_is_made_and_what_is_gone_is_not_kept(tmp_path):
    assert use(tmp_path, "aab") == ["a", "b"]
    assert use(tmp_path, "abc") == ["c"]
    assert use(tmp_path, "ac") == []
    assert use(tmp_path, "ab") == ["b"]
    [path] = tmp_path.iterdir()
    assert set(read_memo(path)) == {"a", "b"}


def test_another_basis_shares_nothing(tmp_path):
    use(tmp_path, "a")
    assert use(tmp_path, "a", basis="c") == ["a"]


def test_a_run_that_fails_writes_nothing(tmp_path):
    def fail():
        with Memo(tmp_path, "b") as memo:
            memo.put("a", b"1")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_file_is_made_anew(tmp_path):
    use(tmp_path, "a")
    [path] = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:40])
    assert use(tmp_path, "a") == ["a"]


def test_a_full_disk_is_said_plainly(tmp_path, monkeypatch):
    def full(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pyarrow.ipc.new_stream", full)
    with pytest.raises(StorageError, match="No space left"):
        use(tmp_path, "a")
    assert list(tmp_path.iterdir()) == []
