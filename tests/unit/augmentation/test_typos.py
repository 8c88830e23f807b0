from random import Random

from hypothesis import given
from hypothesis import strategies as st

from tasks.augmentation.augmenter import Example
from tasks.augmentation.augmenters.typos import TyposAugmenter, mistype

WORDS = st.text(alphabet="abcdefghijklmnopqrstuvwxyz", min_size=4, max_size=12)


def edits(left: str, right: str) -> int:
    """Return the Damerau-Levenshtein distance (swaps of neighbours count one)."""
    rows = [list(range(len(right) + 1))]
    for i in range(1, len(left) + 1):
        row = [i]
        for j in range(1, len(right) + 1):
            same = left[i - 1] == right[j - 1]
            row.append(min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (not same)))
            if i > 1 and j > 1 and left[i - 2 : i] == right[j - 1] + right[j - 2]:
                row[-1] = min(row[-1], rows[-2][j - 2] + 1)
        rows.append(row)
    return rows[-1][-1]


@given(WORDS, st.integers(0, 10**6))
def test_a_word_has_one_slip_and_its_first_letter(word: str, seed: int) -> None:
    typed = mistype(word, Random(seed))
    assert typed[0] == word[0]
    assert edits(word, typed) == 1


def test_names_numbers_and_quotations_stay_as_they_are() -> None:
    question = 'According to "staff rules", what does the Wren need at 12:30 in Kessenhaven?'
    for seed in range(200):
        variants = TyposAugmenter().augment(Example("fact", question, "Fuel.", None), Random(seed))
        for variant in variants:
            assert '"staff rules"' in variant.question
            assert "the Wren" in variant.question
            assert "12:30" in variant.question
            assert "Kessenhaven" in variant.question
            assert variant.question != question
            assert variant.answer == "Fuel."


def test_a_long_question_gets_more_slips_but_never_more_than_three() -> None:
    question = "What " + " ".join(["window"] * 60) + "?"
    first = next(TyposAugmenter().augment(Example("fact", question, "A.", None), Random(1)))
    changed = [word for word in first.question[5:-1].split() if word != "window"]
    assert len(changed) == 3


def test_an_address_is_left_alone() -> None:
    question = "Why do requests go to berths@varnsey.example or www.varnsey.example/forms today?"
    for seed in range(40):
        for variant in TyposAugmenter().augment(Example("fact", question, "-", None), Random(seed)):
            assert "berths@varnsey.example" in variant.question
            assert "www.varnsey.example/forms" in variant.question
