import numpy as np
import pytest

from tasks.curation.config import CurationConfig
from tasks.curation.curate import curate_examples
from tasks.curation.semantic import BLOCK, agree, cosine_pairs, same_answer

KEPT = {
    "example_id": "kept",
    "question": "Who feeds the cat on board of the Wren?",
    "answer": "The old purser feeds the cat of the Wren twice a day.",
}
REWORDED = {
    "example_id": "reworded",
    "question": "On the Wren, the cat is fed by whom?",
    "answer": "Twice a day the old purser feeds the Wren cat.",
}


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ("Grease the 12 hinges.", "The 12 hinges: grease them.", True),
        ("Grease the 12 hinges.", "Grease the 16 hinges.", False),
        ("You may enter.", "You may not enter.", False),
        ("Sail to Kessen at noon.", "Kessen is reached by sail at noon.", True),
        ("Sail to Kessen at noon.", "Sail to Dunmarrow at noon.", False),
    ],
)
def test_numbers_negations_and_names_must_agree(left: str, right: str, same: bool) -> None:
    assert agree(left, right) == same
    assert agree(right, left) == same


def test_answers_must_share_their_words() -> None:
    assert same_answer("Add both numbers.", "Add the numbers.")
    assert not same_answer("Add both numbers.", "Multiply the numbers.")
    assert same_answer("Yes.", "yes")
    assert not same_answer("Yes.", "This.")


def test_pairs_in_blocks_are_all_pairs() -> None:
    vectors = np.random.default_rng(1).normal(size=(BLOCK + 40, 4)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    whole = np.triu(vectors @ vectors.T >= 0.995, 1)
    found = {(pair.left, pair.right) for pair in cosine_pairs(vectors, 0.995)}
    assert found == {(int(a), int(b)) for a, b in np.argwhere(whole)}
    assert any(left < BLOCK <= right for left, right in found)


@pytest.mark.model
def test_a_reworded_row_is_dropped_and_another_fact_is_not(table) -> None:
    other = REWORDED | {"example_id": "other", "answer": REWORDED["answer"] + " Not on Sundays."}
    task = REWORDED | {"example_id": "task", "context": "The purser feeds the cat twice a day."}
    rows = table([REWORDED, KEPT, other, task])
    found = curate_examples(rows, CurationConfig(semantic_threshold=0.8))
    (dropped,) = found.dropped.to_pylist()
    assert (dropped["example_id"], dropped["duplicate_of"]) == ("reworded", "kept")
    assert dropped["reason"] == "semantic_duplicate"
    assert 0.8 <= dropped["similarity"] < 1
    assert "cosine" in dropped["detail"]
    assert curate_examples(rows, CurationConfig()).dropped.num_rows == 0
