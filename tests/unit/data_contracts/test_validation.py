import pyarrow as pa
import pytest

from data_contracts.schemas import (
    CHUNK,
    DOCUMENT,
    EXAMPLE,
    MEASUREMENT,
    MEMORY,
    PREDICTION,
    blank_row,
    dropped_schema,
)
from data_contracts.suites import ROW_ID, SUITES
from data_contracts.validation import schema_failures, validate

SCHEMAS = {
    "ingestion": DOCUMENT,
    "chunking": CHUNK,
    "prediction": PREDICTION,
    "measurement": MEASUREMENT,
    "memorisation": MEMORY,
}


def example(number: int = 1, **changes: object) -> dict[str, object]:
    row: dict[str, object] = blank_row(EXAMPLE)
    row |= {
        "example_id": f"e{number}",
        "kind": "definition",
        "history": [],
        "question": "What is a berth window?",
        "answer": "The time in which a ship may lie at a berth.",
        "document_id": "doc-1",
        "chunk_id": "c1",
        "generator": "definition",
        "grounding": 1.0,
        "group_id": "grp-1",
        "split": "train",
    }
    return row | changes


def check(rows: list[dict[str, object]], suite: str = "splitting", docs=None):
    return validate(pa.Table.from_pylist(rows, schema=EXAMPLE), EXAMPLE, suite, docs)


def test_good_rows_pass_and_leave_data_docs(tmp_path):
    report = check([example(1), example(2, answer="7"), example(3, answer='"A"')], docs=tmp_path)
    assert report.success
    assert list(tmp_path.glob("validations/**/*.html"))
    assert {path.suffix for path in tmp_path.rglob("*") if path.is_file()} == {".html"}


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"example_id": "e1"}, "to_be_unique"),
        ({"question": "?" * 8_001}, "length of question"),
        ({"answer": " leading space"}, "ends of answer"),
        ({"question": "Where is it?\n"}, "ends of question"),
        ({"split": "tset"}, "to_be_in_set"),
        ({"group_id": None}, "to_not_be_null"),
        ({"grounding": 1.5}, "values_to_be_between"),
    ],
)
def test_a_broken_rule_is_named_with_the_row(changes, rule):
    report = check([example(1), example(2, **changes)])
    assert not report.success
    (failure,) = report.failures
    assert rule in failure
    assert changes.get("example_id", "e2") in failure


def test_an_empty_table_is_a_breach():
    assert "row_count" in check([]).failures[0]


def test_the_schema_is_checked_before_the_content():
    table = pa.table({"example_id": [1], "surprise": ["x"]})
    failures = schema_failures(table, EXAMPLE)
    assert "column 'example_id' is int64, expected string" in failures
    assert "column 'question' is missing" in failures
    assert "column 'surprise' is not part of the schema" in failures


def test_null_in_a_required_column_is_a_breach():
    table = pa.Table.from_pylist(
        [example(question=None)],
        schema=EXAMPLE.set(EXAMPLE.get_field_index("question"), pa.field("question", pa.string())),
    )
    assert schema_failures(table, EXAMPLE) == [
        "column 'question' is null in 1 rows, expected in none"
    ]


def test_every_suite_names_rows_by_a_column_that_exists():
    for name in SUITES:
        schema = SCHEMAS.get(name, EXAMPLE)
        assert ROW_ID[name] in schema.names
        for _type, arguments in SUITES[name]:
            for column in [arguments.get("column"), *arguments.get("column_list", [])]:
                assert column is None or column in schema.names


def test_dropped_rows_may_lack_everything_but_their_reason():
    schema = dropped_schema(DOCUMENT)
    row = {"path": "x.pdf", "reason": "corrupt", "detail": "no pages"}
    assert schema_failures(pa.Table.from_pylist([row], schema=schema), schema) == []
    del row["reason"]
    assert schema_failures(pa.Table.from_pylist([row], schema=schema), schema)
