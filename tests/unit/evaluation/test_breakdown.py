from typing import Any

import pyarrow as pa

from tasks.evaluation.breakdown import MOST_GROUPS, groupings_of_test

ROWS = [
    {"example_id": "a", "document_id": "1", "split": "test", "language": "en"},
    {"example_id": "b", "document_id": "2", "split": "test", "language": "de"},
    {"example_id": "c", "document_id": "3", "split": "test", "language": None},
    {"example_id": "d", "document_id": "1", "split": "train", "language": "fr"},
]
DOCUMENTS = pa.Table.from_pylist(
    [
        {"document_id": "1", "path": "hr/leave/rules.md"},
        {"document_id": "2", "path": "it/badges.md"},
        {"document_id": "3", "path": "readme.md"},
    ]
)


def test_rows_are_grouped_by_folder_and_language(table: Any) -> None:
    found = groupings_of_test(table(ROWS), DOCUMENTS)
    assert found == {
        "source": {"a": "hr", "b": "it", "c": "(top folder)"},
        "language": {"a": "en", "b": "de"},
    }


def test_without_documents_the_source_is_what_the_row_names(table: Any) -> None:
    assert groupings_of_test(table(ROWS))["source"] == {"a": "1", "b": "2", "c": "3"}


def test_a_grouping_of_one_group_says_nothing(table: Any) -> None:
    rows = [{"split": "test", "document_id": "1", "knowledge": "Unknown"} for _ in range(3)]
    assert groupings_of_test(table(rows)) == {}
    rows[0]["knowledge"] = "HighlyKnown"
    assert set(groupings_of_test(table(rows))) == {"knowledge"}


def test_of_many_groups_the_largest_are_kept(table: Any) -> None:
    rows = [
        {"split": "test", "document_id": str(group)}
        for group in range(MOST_GROUPS + 3)
        for _ in range(2 if group >= 3 else 1)
    ]
    kept = set(groupings_of_test(table(rows))["source"].values())
    assert kept == {str(group) for group in range(3, MOST_GROUPS + 3)}
