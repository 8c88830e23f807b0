"""Rows with equal cells have equal names, and no others."""

import pyarrow as pa
import pytest

from tasks.row_names import joined_names, row_names

PAIR = pa.struct([("name", pa.string()), ("n", pa.int64())])
SCHEMA = pa.schema(
    [("text", pa.string()), ("score", pa.float64()), ("words", pa.list_(pa.string())),
     ("pairs", pa.list_(PAIR))]
)  # fmt: skip
ROW = {"text": "a", "score": 0.1, "words": ["b", "c"], "pairs": [{"name": "d", "n": 1}]}


def names(*rows):
    return row_names(pa.Table.from_pylist(list(rows), SCHEMA))


@pytest.mark.parametrize(
    "change",
    [
        {"text": ""}, {"text": None}, {"text": "-"}, {"score": 0.1 + 2**-56}, {"score": None},
        {"words": []}, {"words": None}, {"words": ["bc"]}, {"words": ["b", None]},
        {"words": ["", "b", "c"]}, {"words": ["1:c", "b"]}, {"pairs": []}, {"pairs": [None]},
        {"pairs": [{"name": "d", "n": None}]}, {"pairs": [{"name": None, "n": 1}]},
        {"text": "a3:0.1"},
    ],
)  # fmt: skip
def test_any_other_cell_is_another_name(change):
    one, other, again = names(ROW, ROW | change, ROW)
    assert one == again
    assert one != other


def test_what_stands_between_cells_is_not_mistaken_for_them():
    table = pa.table({"a": ["x", "x1:y", ""], "b": ["1:y", "", "x1:y"]})
    assert len(set(row_names(table))) == 3


def test_names_depend_on_neither_slices_nor_pieces_nor_blocks(monkeypatch):
    rows = [ROW | {"text": str(n), "words": ["w"] * (n % 3)} for n in range(20)]
    table = pa.Table.from_pylist(rows, SCHEMA)
    whole = row_names(table)
    assert len(set(whole)) == 20
    assert row_names(table.slice(7, 5)) == whole[7:12]
    assert row_names(pa.concat_tables([table.slice(0, 3), table.slice(3)])) == whole
    monkeypatch.setattr("tasks.row_names._BLOCK", 3)
    assert row_names(table) == whole


def test_only_the_columns_that_count_count():
    assert len(set(row_names(pa.table({"a": [1, 1], "b": [1, 2]}), ["a"]))) == 1


def test_several_rows_have_a_name_together():
    assert joined_names([b"1" * 16, b"2" * 16]) != joined_names([b"2" * 16, b"1" * 16])
