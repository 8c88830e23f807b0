import csv
import io
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_contracts.errors import StorageError
from tasks.interchange.files import read_records
from tasks.interchange.without_records import copy_without

CELLS = st.lists(st.text(st.sampled_from('ab "\n\r,;é'), min_size=1, max_size=8), max_size=6)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cells=CELLS, left_out=st.sets(st.integers(1, 7)), ending=st.sampled_from(["\n", "\r\n"]))
def test_what_stays_of_a_csv_file_stays_byte_for_byte(
    tmp_path: Path, cells: list[str], left_out: set[int], ending: str
) -> None:
    def rows(numbers: list[int]) -> bytes:
        stream = io.StringIO(newline="")
        writer = csv.writer(stream, lineterminator=ending, quoting=csv.QUOTE_ALL)
        writer.writerow(["question", "answer"])
        writer.writerows([f"{number}", cells[number - 1]] for number in numbers)
        return stream.getvalue().encode()

    every = list(range(1, len(cells) + 1))
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_bytes(rows(every))
    copy_without(source, left_out, target)
    assert target.read_bytes() == rows([n for n in every if n not in left_out])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.csv"])
def test_numbers_are_those_of_reading_in_every_encoding(
    tmp_path: Path, name: str, encoding: str
) -> None:
    lines = [f'{{"question": "é{n}?", "answer": "{n}"}}' for n in range(4)]
    text = {
        "a.jsonl": "\n\n".join(lines),
        "a.json": f"[{', '.join(lines)}]",
        "a.csv": "question,answer\n" + "\n\n".join(f"é{n}?,{n}" for n in range(4)),
    }[name]
    source, target = tmp_path / name, tmp_path / f"out-{name}"
    source.write_text(text, encoding=encoding)
    records = list(read_records(source, "utf-8"))
    copy_without(source, {records[1].number}, target)
    left = [record.value for record in read_records(target, "utf-8")]
    assert left == [record.value for n, record in enumerate(records) if n != 1]


def test_bytes_that_do_not_decode_are_kept(tmp_path: Path) -> None:
    source, target = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    source.write_bytes(b'{"a": 1}\n{"a": "\xff"}\n{"a": 2}\n')
    copy_without(source, {3}, target)
    assert target.read_bytes() == b'{"a": 1}\n{"a": "\xff"}\n'


@pytest.mark.parametrize("form", ["file", "stream"])
def test_arrow_stays_arrow(tmp_path: Path, form: str) -> None:
    table = pa.table({"question": ["a", "b", "c"]})
    source, target = tmp_path / "a.arrow", tmp_path / "b.arrow"
    new = pa.ipc.new_file if form == "file" else pa.ipc.new_stream
    with new(str(source), table.schema) as writer:
        writer.write_table(table)
    copy_without(source, {2}, target)
    assert [record.value for record in read_records(target, "utf-8")] == [
        {"question": "a"},
        {"question": "c"},
    ]
    assert target.read_bytes()[:6] == source.read_bytes()[:6]


def test_a_copy_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    source = tmp_path / "a.jsonl"
    source.write_text('{"a": 1}\n', encoding="utf-8")
    with pytest.raises(StorageError, match="Cannot write"):
        copy_without(source, set(), source / "below" / "b.jsonl")
