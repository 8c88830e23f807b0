from collections import Counter
from random import Random
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from data_contracts.schemas import EXAMPLE, dropped_schema
from data_contracts.validation import schema_failures
from tasks.augmentation.augmenters.rewording import RewordingAugmenter
from tasks.augmentation.config import AugmentationConfig

CONFIG = AugmentationConfig()
NOUNS = [
    "berth", "ship", "crew", "deck", "bridge", "window",
    "harbour", "sailing", "master", "engine", "anchor", "rope",
]  # fmt: skip


def corpus(seed: int, documents: int = 5) -> list[dict[str, Any]]:
    """Make documents of definitions, each on one side of the split."""
    random = Random(seed)
    rows = []
    for document in range(documents):
        split = "train" if document < 3 else ("validation", "test")[document % 2]
        for n in range(random.randint(1, 6)):
            noun = f"{random.choice(NOUNS)} {random.choice(NOUNS)}"
            name = f"d{document}-{n}"
            rows.append(
                {"example_id": name, "kind": "definition", "document_id": f"d{document}",
                 "chunk_id": f"c{document}", "group_id": f"g{document}", "split": split,
                 "question": f"What is a {noun} {name}?", "answer": f"A {noun} is {n}."}
            )  # fmt: skip
    return rows


def new_rows(augment, table, rows, config=CONFIG) -> list[dict[str, Any]]:
    return augment(table(rows), config).kept.to_pylist()[len(rows) :]


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), st.sampled_from([0.0, 0.3, 0.5, 1.0, 2.5]))
def test_only_training_rows_are_said_again_and_all_rows_stay(
    augment, table, seed: int, share
) -> None:
    rows = corpus(seed)
    examples = table(rows)
    result = augment(examples, AugmentationConfig(share=share))
    assert result.kept.slice(0, len(rows)).equals(examples)
    parents = {row["example_id"]: row for row in examples.to_pylist()}
    added = result.kept.to_pylist()[len(rows) :]
    for row in added:
        parent = parents[row["parent_id"]]
        assert parent["split"] == row["split"] == "train"
        for column in ("document_id", "chunk_id", "group_id", "kind", "context", "grounding"):
            assert row[column] == parent[column]
        assert row["generator"] in ("rewording", "typos", "format")
        assert row["question"] != parent["question"]
    train = [row for row in rows if row["split"] == "train"]
    assert len(added) <= share * len(train)
    for document, count in Counter(row["document_id"] for row in added).items():
        assert count <= share * sum(row["document_id"] == document for row in train)
    assert result.rows_in == result.kept.num_rows + result.dropped.num_rows


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6))
def test_identifiers_and_questions_are_new(augment, table, seed: int) -> None:
    kept = augment(table(corpus(seed)), AugmentationConfig(share=3.0)).kept
    for column in ("example_id", "question"):
        values = kept.column(column).to_pylist()
        assert len(set(values)) == len(values)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), st.randoms(use_true_random=False))
def test_order_of_the_rows_does_not_matter(augment, table, seed: int, random: Random) -> None:
    rows = corpus(seed)
    before = new_rows(augment, table, rows)
    random.shuffle(rows)
    assert new_rows(augment, table, rows) == before


@settings(deadline=None, max_examples=40)
@example(seed=550, changed=3)  # one document's variant repeats another's question
@given(seed=st.integers(0, 10**6), changed=st.integers(0, 4))
def test_a_changed_document_changes_only_its_own_rows(
    augment, table, seed: int, changed: int
) -> None:
    rows = corpus(seed)
    others = [row for row in rows if row["document_id"] != f"d{changed}"]
    result = augment(table(rows), CONFIG)
    made = [row for row in [*rows, *result.kept.to_pylist()] if row["document_id"] == f"d{changed}"]
    met = set(result.dropped.column("duplicate_of").to_pylist())
    # A row that repeats or nears one of the changed document's does depend on it, by design.
    assume(not met & {row["example_id"] for row in made})
    with_it = [r for r in new_rows(augment, table, rows) if r["document_id"] != f"d{changed}"]
    assert new_rows(augment, table, others) == with_it


def test_another_seed_gives_other_rows(augment, table) -> None:
    rows = corpus(1)
    assert new_rows(augment, table, rows) != new_rows(
        augment, table, rows, AugmentationConfig(seed=2)
    )


def test_rows_are_drawn_by_chance_not_by_name(augment, table) -> None:
    rows = [TRAIN | {"example_id": f"r{n}", "question": f"What is x{n}?"} for n in range(20)]
    parents = {row["parent_id"] for row in new_rows(augment, table, rows)}
    assert len(parents) == 10
    assert parents != {row["example_id"] for row in sorted(rows, key=str)[:10]}
    assert parents != {
        row["parent_id"] for row in new_rows(augment, table, rows, AugmentationConfig(seed=2))
    }


def test_no_augmenters_no_rows(augment, table) -> None:
    assert new_rows(augment, table, corpus(1), AugmentationConfig(augmenters=())) == []


REWORDED = AugmentationConfig(augmenters=(RewordingAugmenter(),), share=1.0)

TRAIN = {
    "example_id": "t", "kind": "definition", "document_id": "d", "split": "train",
    "question": "What does VSF refer to?", "answer": "The ferries of the sound.",
}  # fmt: skip


@pytest.mark.parametrize("split", ["validation", "test"])
@pytest.mark.parametrize(
    "held_out",
    [
        {"question": "Explain what vsf refers to", "answer": "No idea whatsoever, sorry."},
        {"question": "Explain what VSF refers to in full.", "answer": TRAIN["answer"]},
    ],
)
def test_a_row_that_would_give_a_held_out_row_away_is_dropped(
    augment, table, held_out, split
) -> None:
    row = {"example_id": "h", "split": split} | held_out
    result = augment(table([TRAIN, row]), REWORDED)
    assert result.kept.num_rows == 2
    (gone,) = result.dropped.to_pylist()
    assert (gone["reason"], gone["duplicate_of"], gone["parent_id"]) == ("near_held_out", "h", "t")
    assert schema_failures(result.dropped, dropped_schema(EXAMPLE)) == []


def test_a_question_that_is_asked_already_is_dropped(augment, table) -> None:
    other = {"example_id": "u", "split": "train", "question": "Explain what VSF refers to."}
    result = augment(table([TRAIN, other]), REWORDED)
    assert result.kept.num_rows == 2
    (gone,) = result.dropped.to_pylist()
    assert (gone["reason"], gone["duplicate_of"]) == ("repeated_question", "u")


def test_figures_say_what_was_added_and_how_questions_changed(augment, table) -> None:
    result = augment(table([TRAIN, {"split": "test"}]), REWORDED)
    assert result.figures["rows.rewording"] == result.figures["new_rows"] == 1
    assert result.figures["share"] == 1.0
    assert result.figures["question_words.before"] == 5  # What does VSF refer to
    assert result.figures["question_words.after"] == 5  # Explain what VSF refers to
    assert result.figures["question_vocabulary.before"] == 5
    assert result.figures["question_vocabulary.after"] == 7
    assert schema_failures(result.kept, EXAMPLE) == []
