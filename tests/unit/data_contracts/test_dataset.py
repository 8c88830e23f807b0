import json
import string
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_contracts.base import file_sha256
from data_contracts.dataset import (
    MANIFEST,
    Manifest,
    StageResult,
    commit,
    content_sha256,
    count_reasons,
    dataset_fingerprint,
    dataset_folder,
    find_dataset,
    read_kept,
    read_manifest,
    stage_files,
)
from data_contracts.errors import DatasetError, StorageError

SCHEMA = pa.schema([("id", pa.string()), ("tags", pa.list_(pa.string())), ("n", pa.int64())])

rows = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.text(string.printable, max_size=5),
            "tags": st.lists(st.text(max_size=3), max_size=3),
            "n": st.none() | st.integers(-9, 9),
        }
    ),
    max_size=12,
)


@given(rows, st.integers(1, 4))
def test_the_content_hash_does_not_depend_on_chunking(values, size):
    whole = pa.Table.from_pylist(values, schema=SCHEMA)
    parts = [
        pa.Table.from_pylist(values[i : i + size], schema=SCHEMA)
        for i in range(0, len(values), size)
    ]
    pieces = pa.concat_tables(parts) if parts else whole
    assert content_sha256(pieces) == content_sha256(whole)


@given(rows, rows)
def test_the_content_hash_tells_different_tables_apart(left, right):
    tables = [pa.Table.from_pylist(values, schema=SCHEMA) for values in (left, right)]
    assert (content_sha256(tables[0]) == content_sha256(tables[1])) == (left == right)


def test_the_content_hash_survives_parquet(tmp_path):
    table = pa.Table.from_pylist([{"id": "a", "tags": ["x"], "n": None}] * 3, schema=SCHEMA)
    result = StageResult(table, dropped(), rows_in=3)
    staged = stage_files(tmp_path, "s", "f" * 32, result)
    ref = commit(staged, tmp_path, manifest(table, staged))
    assert content_sha256(read_kept(ref)) == content_sha256(table) == ref.content_sha256


def test_a_fingerprint_changes_with_everything_that_can_change_the_result():
    base = dataset_fingerprint("s", 1, {"a": 1}, {"in": "x"})
    others = [
        dataset_fingerprint("t", 1, {"a": 1}, {"in": "x"}),
        dataset_fingerprint("s", 2, {"a": 1}, {"in": "x"}),
        dataset_fingerprint("s", 1, {"a": 2}, {"in": "x"}),
        dataset_fingerprint("s", 1, {"a": 1}, {"in": "y"}),
    ]
    assert len({base, *others}) == 5
    assert base == dataset_fingerprint("s", 1, {"a": 1}, {"in": "x"})


def test_where_a_language_model_is_asked_does_not_change_a_fingerprint():
    def name(**llm):
        return dataset_fingerprint("s", 1, {"llm": {"model": "m", **llm}}, {"in": "x"})

    one, other = "http://a/v1", "http://b/v1"
    served = [
        name(base_url="embedded"),  # how datasets were named before there were several
        name(base_url=one),
        name(base_url=other, further_urls=[]),
        name(base_url=one, further_urls=[other]),
        name(base_url=other, further_urls=[one, "http://c/v1"]),
    ]
    assert len(set(served)) == 1
    assert name(base_url=one, model="n") != served[0] != name(base_url=one, temperature=1.0)


def test_an_unfinished_folder_is_no_dataset(tmp_path):
    table = pa.Table.from_pylist([], schema=SCHEMA)
    staged = stage_files(tmp_path, "s", "f" * 32, StageResult(table, dropped(), 0))
    assert find_dataset(tmp_path, "s", "f" * 32) is None
    staged.rename(dataset_folder(tmp_path, "s", "f" * 32))  # moved, but without a manifest
    assert find_dataset(tmp_path, "s", "f" * 32) is None
    with pytest.raises(DatasetError, match="temper dataset build"):
        read_manifest(dataset_folder(tmp_path, "s", "f" * 32))


def test_a_damaged_file_makes_the_dataset_absent(tmp_path):
    table = pa.Table.from_pylist([{"id": "a", "tags": [], "n": 1}], schema=SCHEMA)
    staged = stage_files(tmp_path, "s", "f" * 32, StageResult(table, dropped(), 1))
    ref = commit(staged, tmp_path, manifest(table, staged))
    assert find_dataset(tmp_path, "s", "f" * 32) == ref
    with (Path(ref.folder) / "kept-00000.parquet").open("ab") as stream:
        stream.write(b"x")
    assert find_dataset(tmp_path, "s", "f" * 32) is None


def test_the_second_of_two_equal_runs_keeps_the_first_ones_dataset(tmp_path):
    table = pa.Table.from_pylist([{"id": "a", "tags": [], "n": 1}], schema=SCHEMA)
    result = StageResult(table, dropped(), 1)
    first, second = (stage_files(tmp_path, "s", "f" * 32, result) for _ in range(2))
    made = commit(first, tmp_path, manifest(table, first))
    before = json.loads((Path(made.folder) / MANIFEST).read_text())
    again = commit(second, tmp_path, manifest(table, second, created="later"))
    assert again == made
    assert json.loads((Path(made.folder) / MANIFEST).read_text()) == before
    assert [path.name for path in (tmp_path / "datasets" / "s").iterdir()] == ["f" * 32]


def test_a_full_disk_is_said_plainly(tmp_path, monkeypatch):
    def full(*_args, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pyarrow.parquet.write_table", full)
    table = pa.Table.from_pylist([], schema=SCHEMA)
    with pytest.raises(StorageError, match="No space left.*Free disk space"):
        stage_files(tmp_path, "s", "f" * 32, StageResult(table, dropped(), 0))


def test_reasons_are_counted_most_frequent_first():
    table = pa.table({"reason": ["b", "a", "a", "c"]})
    assert list(count_reasons(table).items()) == [("a", 2), ("b", 1), ("c", 1)]


def dropped() -> pa.Table:
    return pa.table({"id": pa.array([], pa.string()), "reason": pa.array([], pa.string())})


def manifest(table: pa.Table, staged: Path, created: str = "now") -> Manifest:
    return Manifest(
        stage="s",
        stage_version=1,
        schema_version=1,
        fingerprint="f" * 32,
        parents={},
        config={},
        rows_in=table.num_rows,
        rows_kept=table.num_rows,
        rows_dropped=0,
        drop_reasons={},
        figures={},
        content_sha256=content_sha256(table),
        files={path.name: file_sha256(path) for path in staged.iterdir()},
        validation={},
        versions={},
        seconds=0,
        created=created,
    )
