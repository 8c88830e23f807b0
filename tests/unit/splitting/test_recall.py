import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.base import digest
from tasks.curation.audit import audit_leakage, describe_hits
from tasks.curation.config import CurationConfig
from tasks.splitting.assignment import assignment_of
from tasks.splitting.config import SplittingConfig
from tasks.splitting.recall import choose_recall, has_neighbour
from tasks.splitting.split import split_examples
from tasks.text.hash_rows import HashRows
from tasks.text.shingles import character_shingles, jaccard

CONFIG = SplittingConfig(min_rows=1, by="question")
FOUR = dict.fromkeys(range(40), 4)  # facts, each in four wordings


def rows_of(facts: dict[int, int], wordings: int = 0) -> list[dict]:
    """Make a document for each fact; the values say in how many wordings it is asked for."""
    return [
        {
            "example_id": f"{fact}-{n}",
            "document_id": f"d{fact}",
            "group_id": f"g{fact:03}",
            "fact_id": f"fact-{fact}",
            "answer": digest(["answer", fact], length=30),
        }
        for fact, count in facts.items()
        for n in range(max(count, wordings))
    ]


def labels(kept) -> dict[str, str]:
    """Return each test row's labels."""
    rows = kept.to_pylist()
    return {r["example_id"]: ",".join(r["flags"]) for r in rows if r["split"] == "test"}


def test_one_wording_of_every_trained_fact_with_three_is_held_out(table) -> None:
    facts = {n: n % 5 + 1 for n in range(60)}
    result = split_examples(table(rows_of(facts)), CONFIG)
    found = labels(result.kept)
    trained = {r["fact_id"] for r in result.kept.to_pylist() if r["split"] == "train"}
    assert set(found.values()) == {"recall", "control"}
    recall = [row.split("-")[0] for row, label in found.items() if label == "recall"]
    assert len(recall) == len(set(recall))
    assert {f"fact-{fact}" for fact in recall} == {
        name for name in trained if facts[int(name.removeprefix("fact-"))] >= 3
    }
    assert not {row.split("-")[0] for row, label in found.items() if label == "control"} & {
        name.removeprefix("fact-") for name in trained
    }
    assert result.figures["recall.rows"] == result.figures["recall.facts"] == len(recall)


def test_a_wording_near_a_trained_question_is_not_held_out(table) -> None:
    rows = rows_of({n: 3 for n in range(2)})
    for n, row in enumerate(rows):
        row["question"] = f"What do {digest(row['fact_id'], length=30)} and others say {n}?"
    rows[4]["question"] = "How long may a visitor stay in the harbour?"
    trained = range(len(rows))
    assert choose_recall(table(rows), trained, CONFIG, frozenset()) == ([4], 2)
    assert choose_recall(table(rows), trained, CONFIG, frozenset({"1-2"})) == ([5], 2)


def test_the_audit_finds_no_leak_in_what_is_held_out(table) -> None:
    """Wordings of one fact are alike here, some of them too much so."""
    rows = rows_of({n: 4 for n in range(40)})
    for n, row in enumerate(rows):
        part = digest([row["fact_id"], n // 2 if n % 3 else -n], length=16)
        row["question"] = f"{part}: what is said of {part}{n}?"
    kept = split_examples(table(rows), CONFIG).kept
    assert "recall" in labels(kept).values()
    assert describe_hits(audit_leakage(kept, CurationConfig()).findings) == []


@settings(deadline=None, max_examples=12)
@given(
    facts=st.dictionaries(st.integers(0, 60), st.integers(1, 5), min_size=20),
    later=st.dictionaries(st.integers(0, 60), st.integers(1, 6)),
)
def test_held_out_questions_stay_held_out(table, facts, later) -> None:
    base = {1000 + n: 3 for n in range(40)}
    before = split_examples(table(rows_of(facts | base)), CONFIG).kept
    assert split_examples(before, CONFIG, assignment_of(before)).kept.equals(before)
    after = split_examples(table(rows_of(facts | later | base)), CONFIG, assignment_of(before))
    present = {row["example_id"] for row in after.kept.to_pylist()}
    assert labels(before).keys() & present <= labels(after.kept).keys()


def test_held_out_questions_are_known_by_what_they_say(table) -> None:
    rows = [row | {"question": digest(row["example_id"])} for row in rows_of(FOUR)]
    renamed = [
        row | {"example_id": f"x{row['example_id']}", "document_id": f"x{row['document_id']}"}
        for row in rows
    ]
    before = split_examples(table(rows), CONFIG).kept
    after = split_examples(table(renamed), CONFIG, assignment_of(before)).kept
    held_out = {f"x{name}": label for name, label in labels(before).items()}
    assert set(held_out.values()) == {"recall", "control"}
    assert held_out.items() <= labels(after).items()


def test_labels_of_another_split_are_taken_off(table) -> None:
    rows = rows_of({n: 3 for n in range(30)})
    for row in rows:
        row["flags"] = ["instructions", "recall"]
    kept = split_examples(table(rows), CONFIG.model_copy(update={"by": "document"})).kept
    assert {tuple(row["flags"]) for row in kept.to_pylist()} == {("instructions",)}


def test_no_recall_question_is_warned_about(table, caplog: pytest.LogCaptureFixture) -> None:
    split_examples(table(rows_of({n: 2 for n in range(30)})), CONFIG)
    assert "No recall question: 0 trained facts" in caplog.text


@settings(deadline=None, max_examples=50)
@given(st.lists(st.text("abc ", max_size=9), max_size=12), st.sampled_from([0.3, 0.55, 1.0]))
def test_neighbours_are_found_as_by_comparing_every_pair(texts, threshold: float) -> None:
    features = [character_shingles(text, 3) for text in texts]
    expected = [
        any(jaccard(one, two) >= threshold for j, two in enumerate(features) if i != j)
        for i, one in enumerate(features)
    ]
    assert np.array_equal(has_neighbour(HashRows.of(features), threshold), expected)
