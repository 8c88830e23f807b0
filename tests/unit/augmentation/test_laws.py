"""Laws of augmentation, whatever the augmenters: parents, splits, counts, order, limits."""

from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.dataset import count_reasons
from tasks.augmentation.augmenters.distractors import DistractorsAugmenter
from tasks.augmentation.augmenters.format import FormatAugmenter
from tasks.augmentation.augmenters.rewording import RewordingAugmenter
from tasks.augmentation.augmenters.typos import TyposAugmenter
from tasks.augmentation.checks import likeness
from tasks.augmentation.config import AugmentationConfig, ReplayConfig
from tasks.augmentation.replay import Stock
from tests.unit.augmentation.test_augment import corpus

RULES = (RewordingAugmenter(), TyposAugmenter(), FormatAugmenter(), DistractorsAugmenter())
SEEDS, SHARES = st.integers(0, 10**6), st.sampled_from([0.3, 1.0, 2.5])


def rows_with_passages(seed: int) -> list[dict[str, Any]]:
    """Return documents of definitions; most rows come with a passage of their own."""
    return [
        row | {"context": f"Passage {n} tells of {row['answer']}" if n % 3 else None}
        for n, row in enumerate(corpus(seed))
    ]


def general(count: int) -> list[dict[str, Any]]:
    return [
        {"example_id": f"q{n}", "document_id": f"record-{n}", "question": f"River {n} {n * n}?"}
        for n in range(count)
    ]  # fmt: skip


@settings(deadline=None, max_examples=25)
@given(SEEDS, SHARES, st.sampled_from([0.0, 0.2]), st.randoms(use_true_random=False))
def test_laws(augment, table, seed: int, share: float, replay: float, random: Random) -> None:
    rows, stock = rows_with_passages(seed), Stock(table(general(8)))
    config = AugmentationConfig(
        augmenters=RULES, share=share, max_per_parent=2, replay=ReplayConfig(share=replay)
    )
    result = augment(table(rows), config, stock=stock)
    kept = result.kept.to_pylist()
    given_rows, new = kept[: len(rows)], kept[len(rows) :]

    # what came in goes out; nothing is lost
    assert given_rows == table(rows).to_pylist()
    assert result.rows_in == len(kept) + result.dropped.num_rows
    assert sum(count_reasons(result.dropped).values()) == result.dropped.num_rows
    assert result.figures["new_rows"] == len(new)

    # every variant has a training parent, and no held-out row is touched
    parents = {row["example_id"]: row for row in given_rows}
    variants = [row for row in new if row["kind"] != "replay"]
    held_out = {row["document_id"] for row in given_rows if row["split"] != "train"}
    for row in variants:
        assert parents[row["parent_id"]]["split"] == row["split"] == "train"
        assert row["group_id"] == parents[row["parent_id"]]["group_id"]
        assert not held_out & {other["document_id"] for other in row["other_chunks"]}

    # limits
    assert max(Counter(row["parent_id"] for row in variants).values(), default=0) <= 2
    train = sum(row["split"] == "train" for row in given_rows)
    assert len(variants) <= 0.5 * (train + len(variants)) + 1e-9
    mixed_in = len(new) - len(variants)
    assert mixed_in <= replay * (train + len(new)) + 1e-9
    groups = [row["group_id"] for row in new if row["kind"] == "replay"]
    assert len(set(groups)) == len(groups) and not set(groups) & {r["group_id"] for r in rows}

    # no two new rows say the same
    said = [(row["question"], row["answer"], row["context"]) for row in new]
    assert all(
        likeness(one, other, config) < config.duplicate_threshold
        for n, one in enumerate(said)
        for other in said[:n]
    )

    # order plays no part
    random.shuffle(rows)
    assert augment(table(rows), config, stock=stock).kept.to_pylist()[len(rows) :] == new


def test_variants_stay_below_their_share_of_the_final_rows(augment, table) -> None:
    config = AugmentationConfig(augmenters=RULES, share=2.0, max_share=0.2)
    rows = rows_with_passages(5)
    result = augment(table(rows), config)
    train = sum(row["split"] == "train" for row in rows)
    assert result.figures["new_rows"] == train // 4
    assert count_reasons(result.dropped)["over_share"] > 0


@pytest.mark.parametrize("most", [1, 2, 4])
def test_a_row_gets_no_more_variants_than_allowed(augment, table, most: int) -> None:
    row = {"split": "train", "kind": "fact", "example_id": "only", "question": "Who signs?"}
    config = AugmentationConfig(
        augmenters=(FormatAugmenter(),), share=5.0, max_share=0.9, max_per_parent=most
    )
    result = augment(table([row, {"split": "test"}]), config)
    assert result.figures["new_rows"] == most


def test_what_says_the_same_as_its_parent_is_dropped(augment, table) -> None:
    row = {
        "split": "train", "kind": "fact", "example_id": "long",
        "question": 'According to "The long name of a handbook", who signs the list of the crew?',
    }  # fmt: skip
    config = AugmentationConfig(augmenters=(RewordingAugmenter(),), share=1.0)
    result = augment(table([row, {"split": "test"}]), config)
    reasons = count_reasons(result.dropped)
    assert reasons["near_parent"] >= 1
    assert all(gone["duplicate_of"] == "long" for gone in result.dropped.to_pylist())


def test_variants_of_two_documents_that_say_the_same_are_kept_once(augment, table) -> None:
    long = "the small white ferry that sails to the outer harbour on Sundays and on holidays"
    rows = [
        {"example_id": f"r{n}", "document_id": f"d{n}", "split": "train", "answer": "Yes.",
         "kind": "fact", "question": f"How often {word} {long}?"}
        for n, word in enumerate(["greets", "meets"])
    ]  # fmt: skip
    config = AugmentationConfig(
        augmenters=(RewordingAugmenter(),), share=1.0, duplicate_threshold=0.85
    )
    result = augment(table([*rows, {"split": "test"}]), config)
    reasons = count_reasons(result.dropped)
    assert set(reasons) <= {"near_duplicate", "near_parent"} and reasons


def test_an_unchanged_document_is_read_from_disk(
    augment, table, tmp_path: Path, monkeypatch
) -> None:
    rows = rows_with_passages(7)
    config = AugmentationConfig(augmenters=RULES[:3])
    first = augment(table(rows), config, cache=tmp_path)
    made = []
    original = TyposAugmenter.augment

    def counting(self, example, random):
        made.append(example.question)
        return original(self, example, random)

    monkeypatch.setattr(TyposAugmenter, "augment", counting)
    assert augment(table(rows), config, cache=tmp_path).kept.equals(first.kept)
    assert made == []
    changed = [
        row | ({"answer": "Something else."} if row["document_id"] == "d1" else {}) for row in rows
    ]
    augment(table(changed), config, cache=tmp_path)
    assert made and set(made) <= {r["question"] for r in rows if r["document_id"] == "d1"}


@pytest.mark.parametrize("option", [{"share": 0.9}, {"seed": 5}, {"max_per_parent": 1}])
def test_other_options_make_documents_anew(augment, table, tmp_path: Path, option) -> None:
    rows = table(rows_with_passages(7))
    augment(rows, AugmentationConfig(augmenters=RULES), cache=tmp_path)
    before = set(tmp_path.rglob("*.arrow"))
    augment(rows, AugmentationConfig(augmenters=RULES, **option), cache=tmp_path)
    assert set(tmp_path.rglob("*.arrow")) > before
