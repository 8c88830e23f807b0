import bz2
import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_contracts.errors import DatasetError
from tasks.interchange import json_records
from tasks.interchange.files import read_records

RECORDS = [{"question": f"Frage {n}: wie schön?", "answer": "ja"} for n in range(1, 4)]
LINES = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in RECORDS)
TABLE = "question{0}answer\n" + "".join(f"{r['question']}{{0}}{r['answer']}\n" for r in RECORDS)

values = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)
records = st.dictionaries(st.text(max_size=3), values, max_size=3)


def written(folder, name, content):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def read(path, encoding="utf-8"):
    found = list(read_records(path, encoding))
    return [r.problem.reason if r.problem else dict(r.value) for r in found]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jsonl", LINES),
        ("blank-lines.jsonl", LINES.replace("\n", "\n\n")),
        ("windows.jsonl", LINES.replace("\n", "\r\n")),
        ("bom.jsonl", b"\xef\xbb\xbf" + LINES.encode()),
        ("utf-16.jsonl", LINES.encode("utf-16")),
        ("no-line-end.jsonl", LINES.rstrip()),
        ("a.json", json.dumps(RECORDS, indent=2)),
        ("bom.json", b"\xef\xbb\xbf" + json.dumps(RECORDS).encode()),
        ("a.csv", TABLE.format(",")),
        ("semicolon.csv", TABLE.format(";")),
        ("excel.csv", b"\xef\xbb\xbf" + TABLE.format(";").encode()),
        ("a.tsv", TABLE.format("\t")),
        ("a.jsonl.gz", gzip.compress(LINES.encode(), mtime=0)),
        ("a.json.bz2", bz2.compress(json.dumps(RECORDS).encode())),
        ("wrongly-named.parquet", LINES),
    ],
)
def test_text_files_are_told_by_their_content(tmp_path, name, content):
    assert read(written(tmp_path, name, content)) == RECORDS


def test_parquet_and_both_forms_of_arrow_are_read(tmp_path):
    table = pa.Table.from_pylist(RECORDS)
    pq.write_table(table, tmp_path / "a.parquet")
    with pa.ipc.new_file(tmp_path / "file.arrow", table.schema) as writer:
        writer.write_table(table)
    with pa.ipc.new_stream(tmp_path / "stream.arrow", table.schema) as writer:
        writer.write_table(table)
    for name in ("a.parquet", "file.arrow", "stream.arrow"):
        assert read(tmp_path / name) == RECORDS


@given(st.lists(records, max_size=8), st.integers(1, 40), st.sampled_from([None, 2]))
def test_an_array_is_read_in_blocks_of_any_size(tmp_path_factory, listed, block, indent):
    path = written(tmp_path_factory.mktemp("a"), "a.json", json.dumps(listed, indent=indent))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_records, "_BLOCK_CHARACTERS", block)
        found = [dict(record.value) for record in json_records.read_array(path, "utf-8")]
    assert found == listed


def test_a_number_that_goes_on_in_the_next_block_is_one_element(tmp_path, monkeypatch):
    monkeypatch.setattr(json_records, "_BLOCK_CHARACTERS", 3)
    path = written(tmp_path, "a.json", "[12345678, {}]")
    assert read(path) == ["wrong_form", {}]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"not json", "not_json"),
        (b'{"a": ', "not_json"),
        (b"[" * 100_000, "not_json"),
        (b"[1]", "wrong_form"),
        (b"7", "wrong_form"),
        (b'{"question": "caf\xe9"}', "undecodable"),
        (b'{"question": "half \\ud83d"}', "undecodable"),
    ],
)
def test_a_bad_line_spoils_no_other(tmp_path, line, reason):
    path = written(tmp_path, "a.jsonl", LINES.encode() + line + b"\n" + LINES.encode())
    assert read(path) == [*RECORDS, reason, *RECORDS]


def test_a_line_without_end_is_passed_over(tmp_path, monkeypatch):
    monkeypatch.setattr(json_records, "MAX_RECORD_CHARACTERS", 1_000)
    monkeypatch.setattr(json_records, "_BLOCK_CHARACTERS", 100)
    long = json.dumps({"question": "x" * 5_000})
    path = written(tmp_path, "a.jsonl", f"{LINES}{long}\n{LINES}")
    assert read(path) == [*RECORDS, "too_long", *RECORDS]
    assert [record.number for record in read_records(path, "utf-8")] == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize("cut", [1, 30, 70])
def test_a_broken_array_says_where_it_breaks_off(tmp_path, cut):
    path = written(tmp_path, "a.json", json.dumps(RECORDS)[:-cut])
    found = read(path)
    assert found[-1] == "not_json"
    assert found[:-1] == RECORDS[: len(found) - 1]


def test_a_row_with_too_many_cells_is_refused(tmp_path):
    path = written(tmp_path, "a.csv", "question,answer\nWhy?,So,what\nWho?,I\n")
    assert read(path) == ["wrong_form", {"question": "Who?", "answer": "I"}]


def test_quoted_cells_hold_line_ends(tmp_path):
    path = written(tmp_path, "a.csv", 'question,answer\n"Why,\nthough?",So\n')
    assert read(path) == [{"question": "Why,\nthough?", "answer": "So"}]


def test_another_encoding_must_be_named(tmp_path):
    path = written(tmp_path, "a.csv", "question;answer\nWo ist das Büro?;Köln\n".encode("cp1252"))
    with pytest.raises(DatasetError, match=r"a\.csv is not written in utf-8.*`encoding`"):
        read(path)
    assert read(path, "cp1252") == [{"question": "Wo ist das Büro?", "answer": "Köln"}]
    with pytest.raises(DatasetError, match="unknown encoding"):
        read(path, "cp99999")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("prose.txt", b"Once upon a time\nthere was no dataset\n"),
        ("commas.txt", b"Once, twice, and once again, " + b"on and on " * 10 + b", there was\n"),
        ("twice.csv", b"question,answer,answer\nWho?,I,You\n"),
        ("cut.parquet", b"PAR1 and no more"),
        ("cut.gz", gzip.compress(LINES.encode(), mtime=0)[:20]),
        ("empty.csv", b""),
    ],
)
def test_a_file_that_is_no_dataset_is_an_error_that_names_it(tmp_path, name, content):
    path = written(tmp_path, name, content)
    with pytest.raises(DatasetError, match=name):
        read(path)
