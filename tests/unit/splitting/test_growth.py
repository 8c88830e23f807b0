"""Laws of groups and splits together, on rows whose kinship curation finds itself."""

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.base import digest
from tasks.curation.config import CurationConfig
from tasks.curation.curate import curate_examples
from tasks.splitting.assignment import Assignment, assignment_of
from tasks.splitting.config import SplittingConfig
from tasks.splitting.split import split_examples

CURATION = CurationConfig(planted=0)
SPLITTING = SplittingConfig(min_rows=1)
RANK = {"train": 0, "validation": 1, "test": 2}

# Documents by number, each with the number of the fact it tells: who tells the same is kin.
FACTS = st.dictionaries(st.integers(0, 30), st.integers(0, 12), min_size=4, max_size=20)


def rows(facts: dict[int, int], renamed: Collection[int] = ()) -> list[dict[str, str]]:
    """Return a row for each document and one of its own for each, so that none is empty.

    Args:
        facts: The fact that each document tells.
        renamed: Documents under another name, with other names of their rows.
    """
    return [
        {
            "example_id": f"{document}-{kind}{'-renamed' * (document in renamed)}",
            "document_id": f"{'r' if document in renamed else 'd'}{document:03}",
            "question": f"What about {digest([document, kind], length=20)}?",
            "answer": " ".join(digest([said, word], length=8) for word in range(16)),
        }
        for document, fact in facts.items()
        for kind, said in (("shared", f"fact {fact}"), ("own", f"document {document}"))
    ]


def build(table, facts, before=None, renamed=()):
    grouped = curate_examples(table(rows(facts | alone(20), renamed)), CURATION)
    return split_examples(grouped.kept, SPLITTING, before).kept, grouped


def alone(count: int) -> dict[int, int]:
    return {100 + n: 100 + n for n in range(count)}


@settings(deadline=None, max_examples=15)
@given(facts=FACTS)
def test_kin_lie_on_one_side_and_all_rows_are_there(table, facts) -> None:
    split, grouped = build(table, facts)
    came = {row["example_id"] for row in rows(facts | alone(20))}
    went = [*split["example_id"].to_pylist(), *grouped.dropped["example_id"].to_pylist()]
    assert len(went) == len(came)
    assert set(went) == came
    sides: dict[int, set[str]] = {}
    for row in split.to_pylist():
        sides.setdefault((facts | alone(20))[int(row["document_id"][1:])], set()).add(row["split"])
    assert all(len(found) == 1 for found in sides.values())


@settings(deadline=None, max_examples=15)
@given(
    facts=FACTS,
    added=FACTS,
    changed=st.dictionaries(st.integers(0, 30), st.integers(0, 12), max_size=5),
    removed=st.sets(st.integers(0, 30), max_size=8),
)
def test_no_held_out_row_is_trained_on_as_documents_come_go_and_change(
    table, facts, added, changed, removed
) -> None:
    before, _ = build(table, facts)
    later = {n: f for n, f in (facts | changed).items() if n not in removed}
    later |= {n: f for n, f in added.items() if n not in facts}
    after, _ = build(table, later, assignment_of(before))
    old = dict(zip(before["example_id"].to_pylist(), before["split"].to_pylist(), strict=True))
    for row in after.to_pylist():
        assert RANK[row["split"]] >= RANK[old.get(row["example_id"], "train")]


@settings(deadline=None, max_examples=15)
@given(
    facts=FACTS,
    changed=st.dictionaries(st.integers(0, 30), st.integers(0, 12), max_size=5),
    renamed=st.sets(st.integers(0, 30)) | st.just(set(range(200))),
)
def test_what_a_held_out_row_says_is_never_trained_on_under_another_name(
    table, facts, changed, renamed
) -> None:
    before, _ = build(table, facts)
    after, _ = build(table, facts | changed, assignment_of(before), renamed)
    old = {said(row): row["split"] for row in before.to_pylist()}
    assert all(RANK[row["split"]] >= RANK[old.get(said(row), "train")] for row in after.to_pylist())


def said(row) -> tuple[str, str]:
    return row["question"], row["answer"]


@settings(deadline=None, max_examples=6)
@given(facts=FACTS, random=st.randoms(use_true_random=False))
def test_neither_order_nor_parallelism_nor_a_second_time_matters(
    table, facts, random: Random
) -> None:
    shuffled = [random.sample(sorted(facts.items()), len(facts)) for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda pairs: build(table, dict(pairs))[0], shuffled))
    assert all(split.equals(found[0]) for split in found)
    again = curate_examples(found[0], CURATION).kept
    assert again.equals(found[0])
    assert split_examples(again, SPLITTING, assignment_of(found[0])).kept.equals(found[0])


@pytest.mark.parametrize("before", [None, Assignment()])
def test_without_an_earlier_split_nothing_is_settled(table, before) -> None:
    assert build(table, {0: 0}, before)[0].equals(build(table, {0: 0})[0])
