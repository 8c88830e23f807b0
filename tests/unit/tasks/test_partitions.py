import pyarrow as pa
import pytest

from data_contracts.errors import StorageError
from tasks.partitions import Partition, cached_partition

PARTITION = Partition(pa.table({"a": [1, 2]}), pa.table({"reason": ["x"]}))


def test_a_partition_is_computed_once(tmp_path):
    calls = []

    def compute() -> Partition:
        calls.append(1)
        return PARTITION

    first = cached_partition(tmp_path, "abcd", compute)
    second = cached_partition(tmp_path, "abcd", compute)
    assert len(calls) == 1
    assert first.kept.equals(second.kept)
    assert first.dropped.equals(second.dropped)


def test_a_crash_while_writing_leaves_nothing_behind(tmp_path, monkeypatch):
    def crash(*_args):
        raise KeyboardInterrupt

    monkeypatch.setattr("pyarrow.ipc.new_stream", crash)
    with pytest.raises(KeyboardInterrupt):
        cached_partition(tmp_path, "abcd", lambda: PARTITION)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_full_disk_is_said_plainly(tmp_path, monkeypatch):
    def full(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pyarrow.ipc.new_stream", full)
    with pytest.raises(StorageError, match="No space left.*finished documents are kept"):
        cached_partition(tmp_path, "abcd", lambda: PARTITION)
