import pyarrow as pa

from data_contracts.schemas import DOCUMENT, EXAMPLE, dropped_schema
from tasks.report.samples import dropped_samples, sample_rows


def dropped(rows: list[dict]) -> pa.Table:
    return pa.Table.from_pylist(rows, dropped_schema(DOCUMENT))


def examples(splits: list[str]) -> pa.Table:
    rows = [
        {
            "example_id": f"e{i}",
            "kind": "list",
            "history": [],
            "question": f"Question {i}?",
            "answer": "Answer",
            "document_id": "d1" if i % 2 else "d2",
            "chunk_id": "c1",
            "generator": "list",
            "split": split,
        }
        for i, split in enumerate(splits)
    ]
    return pa.Table.from_pylist(rows, EXAMPLE)


def test_every_reason_is_shown_before_any_is_shown_twice() -> None:
    rows = [{"path": f"f{i}", "reason": "empty", "detail": "0 bytes"} for i in range(50)]
    rows += [{"path": "x", "reason": "corrupt", "detail": "no trailer"}]
    chosen = dropped_samples(dropped(rows), limit=3)
    assert [(row.what, row.reason) for row in chosen] == [
        ("x", "corrupt"),
        ("f0", "empty"),
        ("f1", "empty"),
    ]


def test_dropped_rows_without_a_name_and_empty_tables() -> None:
    nameless = dropped([{"reason": "empty", "detail": "nothing", "similarity": 0.9}])
    assert dropped_samples(nameless)[0].what == "(unnamed row)"
    assert dropped_samples(dropped([])) == []


def test_rows_are_spread_over_each_split() -> None:
    table = examples(["train"] * 100 + ["test"] * 2 + ["other"])
    chosen = sample_rows(table, {"d1": "a.md"}, per_split=3)
    assert [(row.split, row.example_id) for row in chosen] == [
        ("train", "e16"),
        ("train", "e50"),
        ("train", "e83"),
        ("test", "e100"),
        ("test", "e101"),
    ]
    assert {row.document for row in chosen} == {"a.md", "d2"}
