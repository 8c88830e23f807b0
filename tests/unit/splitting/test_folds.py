"""Group k-fold over a finished dataset."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_contracts.errors import TooFewRows
from data_contracts.schemas import REPLAY
from tasks.splitting.folds import fold_examples


def rows(groups, per_group=3):
    made = []
    for group in range(groups):
        split = "test" if group % 6 == 5 else "train"
        for number in range(per_group):
            name = f"{group}-{number}"
            made.append({"example_id": name, "group_id": f"g{group}", "split": split})
        if split == "train":
            variant = {"example_id": f"{group}-v", "parent_id": f"{group}-0"}
            made.append(variant | {"group_id": f"g{group}", "split": "train"})
    made.append({"example_id": "general", "kind": REPLAY, "group_id": "replay-1", "split": "train"})
    return made


@given(groups=st.integers(8, 30), folds=st.integers(3, 5))
def test_each_row_is_scored_once_and_no_group_has_two_sides(table, groups, folds):
    examples = table(rows(groups))
    scored = []
    for fold in range(folds):
        found = fold_examples(examples, folds, fold).to_pylist()
        sides = {}
        for row in found:
            sides.setdefault(row["group_id"], set()).add(row["split"])
        assert all(len(splits) == 1 for splits in sides.values())
        assert {row["split"] for row in found} == {"train", "validation", "test"}
        assert {row["split"] for row in found if row["parent_id"]} <= {"train"}
        assert [row["split"] for row in found if row["kind"] == REPLAY] == ["train"]
        scored += [row["example_id"] for row in found if row["split"] == "test"]
    kept = {
        r["example_id"]
        for r in rows(groups)
        if r["split"] != "test" and "-v" not in r["example_id"]
    }
    assert sorted(scored) == sorted(kept - {"general"})


def test_test_rows_stay_untouched(table):
    examples = table(rows(12))
    held = {row["example_id"] for row in rows(12) if row["split"] == "test"}
    seen = {
        row["example_id"] for f in range(3) for row in fold_examples(examples, 3, f).to_pylist()
    }
    assert held and not held & seen


def test_too_few_groups_are_an_error(table):
    with pytest.raises(TooFewRows, match="5 folds need as many groups"):
        fold_examples(table(rows(4)), 5, 0)
