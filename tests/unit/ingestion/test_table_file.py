"""Rows that go through a file."""

from pathlib import Path

import pyarrow as pa
import pytest

from tasks.ingestion.table_file import TableFile

SCHEMA = pa.schema([("n", pa.int64()), ("words", pa.list_(pa.string()))])


@pytest.mark.parametrize("count", [0, 1, 256, 700])
def test_rows_come_back_and_no_file_stays(count: int, tmp_path: Path) -> None:
    rows = [{"n": n, "words": [str(n)]} for n in range(count)]
    with TableFile(tmp_path / "new", SCHEMA) as file:
        for row in rows:
            file.append([row])
        table = file.table()
    assert table.to_pylist() == rows
    assert table.schema == SCHEMA
    assert list((tmp_path / "new").iterdir()) == []


def test_rows_are_mapped_not_held(tmp_path: Path) -> None:
    with TableFile(tmp_path, SCHEMA) as file:
        file.append([{"n": n, "words": ["word" * 100]} for n in range(5_000)])
        before = pa.total_allocated_bytes()
        table = file.table()
        assert pa.total_allocated_bytes() - before < table.nbytes / 10
    assert table.num_rows == 5_000
