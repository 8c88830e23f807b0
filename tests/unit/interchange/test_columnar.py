import json
from pathlib import Path

import pyarrow as pa
import pytest

from data_contracts.errors import DatasetError
from tasks.interchange import columnar
from tasks.interchange.columnar import write_columns


def columns(tmp_path: Path, lines: list[str]) -> tuple[int, pa.Table]:
    source, target = tmp_path / "rows.jsonl", tmp_path / "new" / "rows.arrow"
    source.write_text("\n".join(lines) + "\n", encoding="utf-8")
    unreadable = write_columns(source, target)
    assert [path.name for path in target.parent.iterdir()] == ["rows.arrow"]
    with pa.ipc.open_file(target) as reader:
        return unreadable, reader.read_all()


@pytest.mark.parametrize("rows_at_once", [1, 2, 1000])
def test_records_of_any_shape_become_columns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows_at_once: int
) -> None:
    monkeypatch.setattr(columnar, "_ROWS", rows_at_once)
    records = [
        {"text": "one", "n": 1, "mixed": 5, "deep": {"a": 1}, "tags": ["x"]},
        {"text": None, "n": 2.5, "mixed": "five", "deep": {"b": "c"}},
        {"late": True, "n": 2**40, "mixed": [1]},
    ]
    unreadable, table = columns(tmp_path, [*map(json.dumps, records), "{broken", "[1]"])
    assert unreadable == 2
    nothing = dict.fromkeys(("text", "n", "mixed", "deep", "tags", "late"))
    assert table.to_pylist() == [
        nothing | records[0] | {"mixed": "5", "deep": {"a": 1, "b": None}},
        nothing | records[1] | {"deep": {"a": None, "b": "c"}},
        nothing | records[2] | {"mixed": "[1]"},
    ]


def test_a_file_without_a_record_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"rows\.jsonl holds no record"):
        columns(tmp_path, ["{broken", "[1]"])
