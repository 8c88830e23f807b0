"""Rows of units are those of a fresh start, whatever changed; only new units are worked on."""

from random import Random

import pyarrow as pa
import pytest

from data_contracts.errors import StorageError
from tasks.partitions import Partition
from tasks.remembered_rows import RememberedRows, rows_of

KEPT = pa.schema([pa.field("unit", pa.string(), nullable=False), ("words", pa.list_(pa.string()))])
DROPPED = pa.schema([("unit", pa.string()), ("reason", pa.string())])


def partition(unit):
    kept = [{"unit": unit, "words": list(unit)}] * (len(unit) % 4)
    dropped = [{"unit": unit, "reason": "odd"}] * (len(unit) % 2)
    return Partition(pa.Table.from_pylist(kept, KEPT), pa.Table.from_pylist(dropped, DROPPED))


def use(folder, units, basis="b", forgets=frozenset):
    made = []

    def make(places):
        made.extend(units[place] for place in places)
        return rows_of([partition(units[place]) for place in places], KEPT, DROPPED)

    names = [unit.encode() for unit in units]
    return RememberedRows(folder, basis, KEPT, DROPPED).rows(names, make, forgets), made


def test_only_new_units_are_made_and_what_is_gone_is_not_kept(tmp_path):
    assert use(tmp_path, ["a", "bb", "ccc"])[1] == ["a", "bb", "ccc"]
    assert use(tmp_path, ["a", "dd", "ccc"])[1] == ["dd"]
    assert use(tmp_path, ["a", "dd", "ccc"])[1] == []
    assert use(tmp_path, ["bb"])[1] == ["bb"]
    assert use(tmp_path, ["a"], basis="c")[1] == ["a"]


@pytest.mark.parametrize("seed", range(8))
def test_rows_are_those_of_a_fresh_start(tmp_path, seed):
    random = Random(seed)
    stock = ["".join(random.choices("xyz", k=random.randrange(9))) + str(n) for n in range(200)]
    for _ in range(6):
        units = random.sample(stock, random.randrange(150, 200))
        if random.random() < 0.7:  # mostly in order: runs of units that follow each other
            units.sort()
        found, expected = use(tmp_path, units)[0], use(None, units)[0]
        for ours, theirs in ((found.kept, expected.kept), (found.dropped, expected.dropped)):
            assert ours.table.equals(theirs.table)
            assert ours.counts.tolist() == theirs.counts.tolist()


def test_no_unit_at_all(tmp_path):
    found = use(tmp_path, [])[0]
    assert found.kept.table.equals(KEPT.empty_table())
    assert found.dropped.counts.size == 0


def test_what_is_not_to_be_kept_is_made_again(tmp_path):
    use(tmp_path, ["a", "bb"], forgets=lambda: {b"bb"})
    assert use(tmp_path, ["a", "bb"])[1] == ["bb"]


def test_a_damaged_file_counts_as_none(tmp_path):
    use(tmp_path, ["a"])
    [path] = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:100])
    assert use(tmp_path, ["a"])[1] == ["a"]


def test_a_full_disk_is_said_plainly(tmp_path, monkeypatch):
    def full(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pyarrow.ipc.new_stream", full)
    with pytest.raises(StorageError, match="No space left"):
        use(tmp_path, ["a"])
    assert list(tmp_path.iterdir()) == []
