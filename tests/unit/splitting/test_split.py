import json
import logging
from collections import Counter
from random import Random

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from data_contracts.errors import TooFewRows
from data_contracts.schemas import EXAMPLE, dropped_schema
from data_contracts.validation import schema_failures
from tasks.splitting.assignment import Assignment, assignment_of, text_names
from tasks.splitting.config import SplittingConfig
from tasks.splitting.deal import _unevenness, deal, deviation
from tasks.splitting.groups import Group
from tasks.splitting.origins import Origin
from tasks.splitting.split import split_examples

CONFIG = SplittingConfig(min_rows=1)
RANK = {"train": 0, "validation": 1, "test": 2}
SHARES = {"train": 0.8, "validation": 0.1, "test": 0.1}
KFOLD = [
    SplittingConfig(min_rows=1, strategy={"strategy": "kfold", "folds": 4, "fold": fold})
    for fold in range(4)
]
CONFIGS = [CONFIG, SplittingConfig(min_rows=1, strategy={"strategy": "time"}), *KFOLD[:2]]

DOCUMENTS = st.dictionaries(st.integers(0, 60), st.integers(0, 25), min_size=20, max_size=60)
RANDOM = st.randoms(use_true_random=False)


def rows_of(groups: dict[int, int]) -> list[dict]:
    """Make two rows for each document; the values name the documents' groups."""
    return [
        {
            "example_id": f"{document}-{n}",
            "document_id": f"d{document}",
            "group_id": f"g{group}",
            "question": f"What is number {n} of {document}?",
            "kind": ("fact", "list", "faq")[(document + n) % 3],
            "language": ("en", "fr")[document % 2],
        }
        for document, group in groups.items()
        for n in range(2)
    ]


def many(count: int, size: int = 1) -> dict[int, int]:
    """Return documents in groups of `size`, named apart from those of `DOCUMENTS`."""
    return {1000 + n: 1000 + n // size for n in range(count)}


def dated(groups: dict[int, int]) -> dict[str, Origin]:
    """Give two documents of three a date."""
    return {f"d{n}": Origin("web", f"20{n % 90:02}-01-01" if n % 3 else None) for n in groups}


def sides(kept: pa.Table) -> dict[str, str]:
    return {row["example_id"]: row["split"] for row in kept.to_pylist()}


def moved_back(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """Return the rows that lie on a looser side than before."""
    return [row for row in before.keys() & after.keys() if RANK[after[row]] < RANK[before[row]]]


@pytest.mark.parametrize("config", CONFIGS)
@settings(deadline=None, max_examples=6)
@given(groups=DOCUMENTS)
def test_a_group_lies_on_one_side_and_no_row_is_lost(table, config, groups) -> None:
    documents = groups | many(60)
    examples = table(rows_of(documents))
    result = split_examples(examples, config, origins=dated(documents))
    assert result.kept.drop_columns("split").equals(examples.drop_columns("split"))
    assert (result.rows_in, result.dropped.num_rows) == (examples.num_rows, 0)
    pairs = {(r["group_id"], r["split"]) for r in result.kept.to_pylist()}
    assert len(pairs) == len({group for group, _ in pairs})
    assert schema_failures(result.kept, EXAMPLE) == []
    assert schema_failures(result.dropped, dropped_schema(EXAMPLE)) == []


@pytest.mark.parametrize("config", CONFIGS)
@settings(deadline=None, max_examples=6)
@given(groups=DOCUMENTS, random=RANDOM)
def test_neither_order_nor_a_second_time_matters(table, config, groups, random: Random) -> None:
    rows = rows_of(groups | many(60))
    origins = dated(groups | many(60))
    before = split_examples(table(rows), config, origins=origins).kept
    random.shuffle(rows)
    after = split_examples(table(rows), config, origins=origins).kept
    assert after.sort_by("example_id").equals(before.sort_by("example_id"))
    again = split_examples(after, config, assignment_of(after), origins).kept
    assert again.equals(after)


@pytest.mark.parametrize("config", CONFIGS[:2])
@settings(deadline=None, max_examples=15)
@given(groups=DOCUMENTS, later=DOCUMENTS, old=st.integers(20, 60))
def test_no_held_out_row_is_ever_trained_on(table, config, groups, later, old) -> None:
    """Documents come, go and change their groups, which join and fall apart."""
    first = {n: g for n, g in groups.items() if n < old} | many(60)
    second = groups | later | many(40)
    before = split_examples(table(rows_of(first)), config, origins=dated(first)).kept
    known = assignment_of(before)
    after = split_examples(table(rows_of(second)), config, known, dated(second)).kept
    assert moved_back(sides(before), sides(after)) == []


@settings(deadline=None, max_examples=15)
@given(groups=DOCUMENTS, gone=st.sets(st.integers(0, 60)), new=st.integers(1, 30))
def test_growth_and_removal_move_nobody_else(table, groups, gone: set[int], new: int) -> None:
    first = groups | many(60)
    before = split_examples(table(rows_of(first)), CONFIG).kept
    second = {n: g for n, g in first.items() if n not in gone}
    second |= {2000 + n: 2000 + n for n in range(new)}
    after = sides(split_examples(table(rows_of(second)), CONFIG, assignment_of(before)).kept)
    assert all(after[row] == side for row, side in sides(before).items() if row in after)


@settings(deadline=None, max_examples=40)
@given(
    sizes=st.lists(st.integers(1, 10), min_size=400, max_size=600),
    held_out=st.tuples(st.integers(1, 40), st.integers(1, 40)),
)
def test_with_small_groups_the_shares_are_met(sizes, held_out) -> None:
    """Groups of at most 1 % of the rows: within 1 % of the rows, and within the largest group.

    Any single order gives this, not only the best of many.
    """
    groups = {
        f"{n:04}": Group(
            {f"d{n}": size},
            {("kind", str(n % 7)): size, ("language", "en"): size, ("source", str(n % 3)): size},
        )
        for n, size in enumerate(sizes)
    }
    validation, test = (share / 100 for share in held_out)
    shares = {"train": 1 - validation - test, "validation": validation, "test": test}
    rows = Counter()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tasks.splitting.deal.orders", lambda _: 1)
        dealt = deal(groups, shares, {}, "salt")
    for name, side in dealt.items():
        rows[side] += groups[name].rows
    total = sum(sizes)
    largest = max(sizes) / total
    off = max(abs(rows[side] / total - share) for side, share in shares.items())
    if largest <= 0.01:
        assert off <= 0.01 + 1e-9
    assert off <= max(largest, 0.01) + 1e-9


def test_shares_are_met_where_every_group_has_a_kind_of_its_own() -> None:
    groups = {
        f"{n:02}": Group({f"d{n}": n % 6 + 1}, {("kind", str(n)): 1, ("language", "en"): 1,
                                                ("source", "a"): 1})
        for n in range(32)
    }  # fmt: skip
    assert deviation(groups, SHARES, deal(groups, SHARES, {}, "salt")) <= 0.01


def test_where_every_side_is_settled_one_order_is_tried(monkeypatch) -> None:
    strata = {("kind", "fact"): 2, ("language", "en"): 2, ("source", "."): 2}
    groups = {f"g{n:02}": Group({f"d{n}": 2}, strata) for n in range(20)}
    settled = deal(groups, SHARES, {}, "salt")
    tried = []
    measure = _unevenness
    monkeypatch.setattr(
        "tasks.splitting.deal._unevenness", lambda *given: tried.append(1) or measure(*given)
    )
    assert deal(groups, SHARES, settled, "salt") == settled
    assert len(tried) == 1
    del settled["g07"]
    assert deal(groups, SHARES, settled, "salt").keys() == groups.keys()
    assert len(tried) > 1 + 10


def test_groups_of_several_documents_are_held_out_no_more_than_others(table) -> None:
    found = split_examples(table(rows_of(many(300, size=3))), CONFIG)
    assert found.figures["share.train"] == pytest.approx(0.8, abs=0.01)
    assert found.figures["deviation"] <= 0.01


def test_sides_are_alike_in_kind_and_language(table) -> None:
    """Each document has one kind, and the kinds are in blocks: a bad order would tear them."""
    rows = rows_of(many(300))
    for n, row in enumerate(rows):
        row["kind"] = ("fact", "list", "faq", "table")[n // 150]
    found = Counter((r["split"], r["kind"]) for r in split_examples(table(rows), CONFIG).kept
                    .to_pylist())  # fmt: skip
    assert all(13 <= found["test", kind] <= 17 for kind in ("fact", "list", "faq", "table"))


def test_another_salt_is_another_split(table) -> None:
    other = CONFIG.model_copy(update={"salt": "pepper"})
    examples = table(rows_of(many(60)))
    assert not split_examples(examples, CONFIG).kept.equals(split_examples(examples, other).kept)


def test_the_split_of_a_document_is_pinned(table) -> None:
    """Written down from a first run: on a fresh machine it must come out the same."""
    kept = split_examples(table(rows_of({n: n for n in range(30)})), CONFIG).kept
    known = assignment_of(kept).documents
    assert {name for name, side in known.items() if side == "test"} == {"d5", "d6", "d13"}
    assert {name for name, side in known.items() if side == "validation"} == {"d0", "d10", "d17"}


def test_a_joined_group_takes_the_strictest_side_and_is_reported(table) -> None:
    before = Assignment({"d1": "train", "d2": "validation", "d3": "train", "d4": "test"})
    groups = {1: 7, 2: 7, 9: 7, 3: 8, 4: 8, 5: 9} | many(60)
    result = split_examples(table(rows_of(groups)), CONFIG, before)
    found = sides(result.kept)
    assert {found[f"{n}-0"] for n in (1, 2, 9)} == {"validation"}
    assert {found[f"{n}-0"] for n in (3, 4)} == {"test"}
    assert json.loads(result.artifacts["joined_groups.json"]) == [
        {"group_id": "g7", "split": "validation", "moved": {"d1": "train"}, "rows": ["1-0", "1-1"]},
        {"group_id": "g8", "split": "test", "moved": {"d3": "train"}, "rows": ["3-0", "3-1"]},
    ]
    assert (result.figures["joined_groups"], result.figures["joined_rows"]) == (2, 4)
    assert "4 rows moved to the stricter side" in result.artifacts["warnings.json"]


def test_a_trained_document_in_which_a_held_out_text_turns_up_moves_and_is_reported(table) -> None:
    examples = table(rows_of({1: 7} | many(60)))
    before = Assignment({"d1": "train"}, texts={text_names(examples)[0]: "test"})
    result = split_examples(examples, CONFIG, before)
    assert {sides(result.kept)[row] for row in ("1-0", "1-1")} == {"test"}
    assert json.loads(result.artifacts["joined_groups.json"]) == [
        {"group_id": "g7", "split": "test", "moved": {"d1": "train"}, "rows": ["1-0", "1-1"]}
    ]


def test_what_a_later_date_holds_out_joined_nothing(table) -> None:
    groups, config = many(60), CONFIGS[1]
    before = Assignment(dict.fromkeys(dated(groups), "train"))
    result = split_examples(table(rows_of(groups)), config, before, dated(groups))
    assert "test" in sides(result.kept).values()
    assert result.figures["joined_groups"] == 0


def test_figures_count_rows_and_groups_and_say_how_far_off_they_are(table, caplog) -> None:
    groups = {n: n // 15 for n in range(60)}  # four groups of a quarter each
    with caplog.at_level(logging.INFO):
        result = split_examples(table(rows_of(groups)), CONFIG.model_copy(
            update={"train": 0.4, "validation": 0.3, "test": 0.3}
        ))  # fmt: skip
    figures = result.figures
    assert figures["rows.train"] + figures["rows.validation"] + figures["rows.test"] == 120
    assert figures["groups.train"] * 30 == figures["rows.train"]
    assert (figures["deviation"], figures["largest_group"]) == (pytest.approx(0.1), 0.25)
    (warning,) = json.loads(result.artifacts["warnings.json"])
    assert warning in caplog.text
    assert "off by up to 10.0%" in warning
    assert "the largest has 25.0%" in warning


def test_fewer_than_three_groups_cannot_be_split(table) -> None:
    with pytest.raises(TooFewRows, match=r"40 rows.*2 groups"):
        split_examples(table(rows_of({n: n % 2 for n in range(20)})), CONFIG)


def test_too_few_rows_says_counts_and_what_to_do(table) -> None:
    config = CONFIG.model_copy(update={"min_rows": 10})
    with pytest.raises(TooFewRows, match=r"validation \d+, test \d+, of 20 groups.*at least 10"):
        split_examples(table(rows_of(many(20))), config)


def test_over_the_folds_every_row_is_test_once_and_validation_once(table) -> None:
    groups = {n: n % 25 for n in range(61)} | many(60)
    tables = [split_examples(table(rows_of(groups)), config).kept for config in KFOLD]
    for side in ("test", "validation"):
        counts = Counter(row for t in tables for row, found in sides(t).items() if found == side)
        assert set(counts.values()) == {1}
        assert len(counts) == 242
    sizes = [Counter(sides(t).values())["test"] for t in tables]
    assert max(sizes) - min(sizes) <= 0.02 * 242


def test_the_newest_are_the_test_and_undated_rows_are_trained_on_or_dropped(table) -> None:
    groups = many(99)
    examples = table(rows_of(groups))
    origins = {f"d{n}": Origin("web", None if n < 1009 else f"2001-01-{n % 31 + 1:02}") for n in
               groups}  # fmt: skip
    by_time = CONFIGS[1]
    result = split_examples(examples, by_time, origins=origins)
    dates: dict[str, list[str]] = {"train": [], "validation": [], "test": []}
    for row in result.kept.to_pylist():
        date = origins[row["document_id"]].date
        assert date or row["split"] == "train"
        dates[row["split"]] += [date] if date else []
    assert max(dates["train"]) <= min(dates["validation"])
    assert max(dates["validation"]) <= min(dates["test"])
    assert result.figures["deviation"] <= 0.01
    dropping = SplittingConfig(min_rows=1, strategy={"strategy": "time", "undated": "drop"})
    dropped = split_examples(examples, dropping, origins=origins)
    assert (dropped.kept.num_rows, dropped.dropped.num_rows, dropped.rows_in) == (180, 18, 198)
    assert set(dropped.dropped.column("reason").to_pylist()) == {"undated"}


def test_dates_of_the_configuration_divide_and_a_group_has_its_newest_date(table) -> None:
    fixed = {"validation_from": "2020-01-01", "test_from": "2021-01-01"}
    config = SplittingConfig(min_rows=1, strategy={"strategy": "time", **fixed})
    days = {1: "2019-12-31", 2: "2020-01-01", 3: "2021-01-01", 4: "2001-01-01", 5: "2022-02-02"}
    origins = {f"d{n}": Origin("web", day) for n, day in days.items()}
    found = sides(split_examples(table(rows_of({1: 1, 2: 2, 3: 3, 4: 4, 5: 4})), config,
                                 origins=origins).kept)  # fmt: skip
    assert [found[f"{n}-0"] for n in days] == ["train", "validation", "test", "test", "test"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"train": 0.9}, r"is 1\.1, expected 1"),
        ({"strategy": {"strategy": "kfold", "fold": 5}}, "expected 0 to 4"),
        ({"strategy": {"strategy": "time", "test_from": "2020-01-01"}}, "or neither"),
        ({"by": "question", "strategy": {"strategy": "kfold"}}, "needs strategy: group"),
    ],
)
def test_options_that_contradict_each_other_are_refused(options, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        SplittingConfig(**options)
