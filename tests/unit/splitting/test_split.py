import logging
from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from data_contracts.errors import TooFewRows
from data_contracts.schemas import EXAMPLE, dropped_schema
from data_contracts.validation import schema_failures
from tasks.splitting.config import SplittingConfig
from tasks.splitting.split import (
    assign,
    collect_groups,
    deviation,
    expected_held_out,
    split_examples,
    suggest_salt,
)

CONFIG = SplittingConfig(min_rows=1)

DOCUMENTS = st.dictionaries(st.integers(0, 60), st.integers(0, 25), min_size=20, max_size=60)


def rows_of(groups: dict[int, int]) -> list[dict]:
    """Make two rows for each document; the values name the documents' groups."""
    return [
        {"example_id": f"{document}-{n}", "document_id": f"d{document}", "group_id": f"g{group}"}
        for document, group in groups.items()
        for n in range(2)
    ]


def sides(table, groups: dict[int, int], config: SplittingConfig = CONFIG) -> dict[str, str]:
    """Return the side of each row, without the check for too few rows."""
    rows = rows_of(groups)
    assigned = assign(collect_groups(table(rows)), config)
    return {row["example_id"]: assigned[row["group_id"]] for row in rows}


def many(count: int) -> dict[int, int]:
    return {n: n for n in range(count)}


@settings(deadline=None, max_examples=30)
@given(DOCUMENTS)
def test_a_group_lies_on_one_side_and_no_row_is_lost(table, groups: dict[int, int]) -> None:
    examples = table(rows_of(groups | many(60)))
    result = split_examples(examples, CONFIG)
    assert result.kept.drop_columns("split").equals(examples.drop_columns("split"))
    assert (result.rows_in, result.dropped.num_rows) == (examples.num_rows, 0)
    pairs = {(r["group_id"], r["split"]) for r in result.kept.to_pylist()}
    assert len(pairs) == len({group for group, _ in pairs})


@settings(deadline=None, max_examples=30)
@given(DOCUMENTS, st.randoms(use_true_random=False))
def test_order_of_the_rows_does_not_matter(table, groups, random: Random) -> None:
    rows = rows_of(groups | many(60))
    before = split_examples(table(rows), CONFIG).kept
    random.shuffle(rows)
    after = split_examples(table(rows), CONFIG).kept
    assert after.sort_by("example_id").equals(before.sort_by("example_id"))
    assert split_examples(after, CONFIG).kept.equals(after)


@settings(deadline=None, max_examples=100)
@given(DOCUMENTS, st.integers(0, 60), st.randoms(use_true_random=False))
def test_growth_moves_no_held_out_row_into_training(table, groups, old, random: Random) -> None:
    """Documents come in, some of them joining groups that were apart."""
    before = {d: (g, d % 7) for d, g in groups.items() if d < old}  # finer groups at first
    after = dict(groups)
    numbers = {pair: n for n, pair in enumerate(sorted(set(before.values())))}
    earlier = sides(table, {d: numbers[pair] for d, pair in before.items()})
    later = sides(table, after)
    rank = {"train": 0, "validation": 1, "test": 2}
    for row, side in earlier.items():
        assert rank[later[row]] >= rank[side], f"{row} went from {side} to {later[row]}"


@settings(deadline=None, max_examples=30)
@given(DOCUMENTS, st.integers(100, 200))
def test_a_document_of_its_own_moves_nobody(table, groups, new: int) -> None:
    before, after = sides(table, groups), sides(table, groups | {new: new})
    assert {row: after[row] for row in before} == before


def test_shares_come_out_as_wished_for_many_groups(table) -> None:
    found = Counter(sides(table, many(4000)).values())
    assert found["train"] / 8000 == pytest.approx(0.8, abs=0.02)
    assert found["validation"] / 8000 == pytest.approx(0.1, abs=0.02)


def test_groups_of_several_documents_are_held_out_more_often(table) -> None:
    groups = collect_groups(table(rows_of({n: n // 3 for n in range(3000)})))
    expected = expected_held_out(groups, CONFIG)
    assert expected == pytest.approx(1 - 0.8**3)
    found = Counter(assign(groups, CONFIG).values())
    assert 1 - found["train"] / 1000 == pytest.approx(expected, abs=0.05)


def test_another_salt_is_another_split(table) -> None:
    other = CONFIG.model_copy(update={"salt": "pepper"})
    assert sides(table, many(60)) != sides(table, many(60), other)


def test_the_split_of_a_document_is_pinned(table) -> None:
    """Written down from a first run: a change here would move test rows of every user."""
    found = sides(table, many(30))
    assert {row for row, side in found.items() if side == "test"} == {"14-0", "14-1"}
    assert {row for row, side in found.items() if side == "validation"} == {
        "5-0", "5-1", "6-0", "6-1", "10-0", "10-1",
    }  # fmt: skip


def test_figures_count_rows_and_groups_and_say_how_far_off_they_are(table) -> None:
    result = split_examples(table(rows_of(many(60))), CONFIG)
    figures = result.figures
    assert figures["rows.train"] + figures["rows.validation"] + figures["rows.test"] == 120
    assert figures["groups.train"] * 2 == figures["rows.train"]
    wanted = {"train": 0.8, "validation": 0.1, "test": 0.1}
    off = max(abs(figures[f"share.{split}"] - share) for split, share in wanted.items())
    assert figures["deviation"] == pytest.approx(off)
    assert schema_failures(result.kept, EXAMPLE) == []
    assert schema_failures(result.dropped, dropped_schema(EXAMPLE)) == []


def test_the_suggested_salt_does_better(table, caplog: pytest.LogCaptureFixture) -> None:
    groups = collect_groups(table(rows_of(many(40))))
    off = deviation(groups, assign(groups, CONFIG), CONFIG)
    salt, least = suggest_salt(groups, CONFIG)
    salted = CONFIG.model_copy(update={"salt": salt})
    assert deviation(groups, assign(groups, salted), salted) == least <= 0.02 < off
    with caplog.at_level(logging.INFO):
        split_examples(table(rows_of(many(40))), CONFIG)
    assert repr(salt) in caplog.text


def test_fewer_than_three_groups_cannot_be_split(table) -> None:
    with pytest.raises(TooFewRows, match=r"40 rows.*2 groups"):
        split_examples(table(rows_of({n: n % 2 for n in range(20)})), CONFIG)


def test_too_few_rows_says_counts_and_what_to_do(table) -> None:
    config = CONFIG.model_copy(update={"min_rows": 10})
    with pytest.raises(TooFewRows, match=r"train \d+, validation \d+, test \d+.*at least 10"):
        split_examples(table(rows_of(many(20))), config)


def test_too_few_rows_names_a_salt_that_would_do(table) -> None:
    examples = table(rows_of(many(20)))
    config = CONFIG.model_copy(update={"salt": "unlucky-0", "min_rows": 4})
    with pytest.raises(TooFewRows) as caught:
        split_examples(examples, config)
    salt, _ = suggest_salt(collect_groups(examples), config)
    assert f"splitting.salt to {salt!r}" in str(caught.value)
    split_examples(examples, config.model_copy(update={"salt": salt}))


def test_shares_that_do_not_sum_to_one_are_refused() -> None:
    with pytest.raises(ValidationError, match=r"is 1\.1, expected 1"):
        SplittingConfig(train=0.9)
