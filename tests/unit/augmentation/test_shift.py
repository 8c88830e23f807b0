import math
from collections import Counter
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.augmentation.config import ShiftConfig
from tasks.augmentation.shift import divergence, expected_types, measure_shift, perplexity

COUNTS = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(1, 30), min_size=1)


def row(question: str, answer: str = "Thirty days.", kind: str = "fact", language: str = "en"):
    return {"question": question, "answer": answer, "kind": kind, "language": language}


@given(COUNTS, COUNTS)
def test_divergence_is_symmetric_and_lies_between_equal_and_disjoint(left, right) -> None:
    found = divergence(left, right)
    assert 0 <= found <= 1
    assert found == pytest.approx(divergence(right, left))
    assert divergence(left, left) == pytest.approx(0, abs=1e-12)
    assert divergence(left, {key * 2: n for key, n in right.items()}) == pytest.approx(1)


@given(COUNTS)
def test_perplexity_is_the_number_of_equally_frequent_values(counts) -> None:
    assert 1 - 1e-9 <= perplexity(counts) <= len(counts) + 1e-9
    assert perplexity(dict.fromkeys(counts, 7)) == pytest.approx(len(counts))


def test_expected_words_are_the_mean_over_all_draws() -> None:
    words = "aaabbcd"
    draws = [len(set(draw)) for draw in combinations(words, 4)]
    assert expected_types(Counter(words), 4) == pytest.approx(sum(draws) / math.comb(7, 4))
    assert expected_types(Counter(words), 7) == pytest.approx(4)


VARIED = [
    row(f"{word} is the {thing} of place {n}?")
    for n, (word, thing) in enumerate(
        (w, t) for w in ("What", "Where", "Who", "Why") for t in ("head", "door", "price", "date")
    )
]


def warnings(before, new) -> dict[str, str]:
    return {s.measure: s.warning for s in measure_shift(before, new, ShiftConfig()) if s.warning}


def test_no_change_no_warning() -> None:
    assert warnings(VARIED, []) == {}
    for shift in measure_shift(VARIED, [], ShiftConfig()):
        assert shift.before == pytest.approx(shift.after)
        assert not shift.divergence


def test_what_narrows_the_data_is_warned_of() -> None:
    same = [VARIED[0]] * 60
    found = warnings(VARIED, same)
    assert "narrows" in found["distinct_words"]
    assert "begin alike" in found["question_openings"]


def test_what_moves_the_data_is_warned_of() -> None:
    other = [row(r["question"], "Thirty days. " * 9, "chat", "de") for r in VARIED]
    found = warnings(VARIED, other)
    assert {"answer_words", "kinds", "languages"} <= set(found)
    assert "longer (2.0 to 10.0 words)" in found["answer_words"]


def test_the_warning_is_logged_and_kept_beside_the_rows(augment, table, caplog) -> None:
    from tasks.augmentation.augmenters.format import FormatAugmenter
    from tasks.augmentation.config import AugmentationConfig

    rows = [
        {"question": f"{word} is {n}?", "split": "train", "example_id": f"r{n}", "answer": f"{n}."}
        for n, word in enumerate(["What", "Where", "Who"] * 4)
    ]
    config = AugmentationConfig(augmenters=(FormatAugmenter(),), share=1.0)
    result = augment(table(rows), config)
    assert "Augmentation made the mean question" in caplog.text
    assert "question_words" in result.artifacts["shift.json"]
    assert result.figures["shift.warnings"] >= 1
    assert result.figures["shift.question_words.before"] == 3
