"""Corpora written again without what was dropped."""

import csv

import pyarrow as pa

from tasks.near_duplicates.kept import _WRITERS


def test_a_cell_that_a_spreadsheet_would_compute_is_text(tmp_path):
    texts = ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\tx", "plain", "a=b"]
    table = pa.table({"text": texts, "n": list(range(-3, 4))})
    _WRITERS[".csv"](tmp_path / "kept.csv", table.schema, iter([table]))
    with (tmp_path / "kept.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["text"] for row in rows] == [f"'{text}" for text in texts[:5]] + texts[5:]
    assert [row["n"] for row in rows] == [str(n) for n in range(-3, 4)]  # numbers stay numbers
    _WRITERS[".jsonl"](tmp_path / "kept.jsonl", table.schema, iter([table]))
    assert "\"'=" not in (tmp_path / "kept.jsonl").read_text()
