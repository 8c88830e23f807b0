import numpy as np
import pytest

from tasks.text.config import SimilarityConfig
from tasks.text.detectors import Detector, text_detectors
from tasks.text.hash_rows import HashRows
from tasks.text.overlap import closest_by_containment, closest_by_jaccard
from tasks.text.rows import RowTexts
from tasks.text.shingles import distinct

SHORT = {"question": "Who feeds the cat at noon?", "answer": "The old purser does."}
LONG = {
    "question": "What is said?",
    "answer": f"Much else. {SHORT['question']} {SHORT['answer']} {'Other words follow. ' * 25}",
}


def detector(rows, name: str, **config) -> Detector:
    found = {d.name: d for d in text_detectors(RowTexts(rows), SimilarityConfig(**config))}
    return found[name]


def test_a_short_row_is_contained_in_a_long_one_and_not_the_other_way_round(table) -> None:
    found = detector(table([SHORT, LONG, {}]), "containment")
    short, others = np.array([0]), np.array([1, 2])
    assert found.closest(short, others).value[0] > 0.9
    assert found.closest(short, others).index[0] == 0
    assert found.closest(np.array([1]), short).value[0] < 0.5
    assert found.closest_given_away(np.array([1, 2]), short).value[0] > 0.9
    assert found.closest_given_away(short, np.array([1])).value[0] < 0.5


def test_a_passage_is_searched_but_not_looked_for(table) -> None:
    rows = table([SHORT, {"context": LONG["answer"]}])
    found = detector(rows, "containment")
    assert found.closest(np.array([0]), np.array([1])).value[0] > 0.9
    assert found.closest_given_away(np.array([0]), np.array([1])).value[0] == 0


def test_too_little_text_is_contained_in_nothing(table) -> None:
    rows = table([{"question": "Who feeds it?", "answer": "He does."}] * 2)
    assert detector(rows, "containment").closest(np.array([0]), np.array([1])).value[0] == 0
    found = detector(rows, "containment", containment_least=3)
    assert found.closest(np.array([0]), np.array([1])).value[0] == 1


@pytest.mark.parametrize("name", ["containment", "substring"])
def test_text_that_many_documents_share_does_not_count(table, name: str) -> None:
    same = "This page was last changed by the harbour office on the first day of the month. " * 2
    rows = [{"answer": f"{same} number {n}"} for n in range(6)]
    first, rest = np.array([0]), np.array([1, 2])
    assert detector(table(rows), name).closest(first, rest).value[0] == 0
    assert detector(table(rows[:3]), name).closest(first, rest).value[0] > 0.5


def test_embeddings_are_compared_only_where_a_threshold_is_set(table) -> None:
    names = {found.name for found in text_detectors(RowTexts(table([{}])), SimilarityConfig())}
    assert "embedding" not in names


@pytest.mark.model
def test_a_paraphrase_is_nearer_than_another_subject(table) -> None:
    rows = table(
        [
            {"question": "Who feeds the cat on board?", "answer": "The purser."},
            {"question": "By whom is the ship's cat fed?", "answer": "By the purser."},
            {"question": "What does a ticket cost?", "answer": "Nine pounds."},
        ]
    )
    found = detector(rows, "embedding", embedding_threshold=0.7)
    closest = found.closest(np.array([0]), np.array([1, 2]))
    assert closest.index[0] == 0
    assert closest.value[0] >= found.threshold


@pytest.mark.parametrize("compare", [closest_by_jaccard, closest_by_containment])
@pytest.mark.parametrize("seed", range(5))
def test_a_few_rows_and_many_are_compared_as_any(compare, seed: int) -> None:
    random = np.random.default_rng(seed)

    def over(rows: int) -> Detector:
        hashes = HashRows.of(
            distinct(random.integers(0, 400, random.integers(0, 6)).astype(np.uint64))
            for _ in range(rows)
        )
        return Detector("any", hashes, compare, 1, [""] * rows)

    few, many = over(3), over(900)
    some, all_rows = np.array([2, 0]), random.permutation(900)[:800]
    for one, rows, other, others in ((few, some, many, all_rows), (many, all_rows, few, some)):
        found = one.closest(rows, others, beside=other)
        fresh = compare(one.features.take(rows), other.features.take(others))
        assert found.value.tolist() == fresh.value.tolist()
        assert found.index.tolist() == fresh.index.tolist()
    assert 0 < (found.value > 0).sum() < found.value.size
