from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.evaluation.metrics import (
    all_words,
    answer_tokens,
    common_subsequence,
    doublings_off,
    exact_match,
    repeated_share,
    rouge_l,
    token_f1,
)


@pytest.mark.parametrize(
    ("answer", "reference", "f1"),
    [
        ("The cat.", "cat", 1.0),
        ("a cat sat", "the cat", 2 / 3),
        ("dog", "cat", 0.0),
        ("cat cat", "cat", 2 / 3),  # a word said twice counts once against one
        ("STRASSE", "Straße", 1.0),
        ("ﬁne", "fine", 1.0),  # the ligature
        ("«Москва»!", "москва", 1.0),
        ("東京都", "東京", 0.8),  # no spaces: characters are the words
        ("", "", 1.0),
        ("", "cat", 0.0),
        ("...", "cat", 0.0),
        ("30-day leave", "30 day leave", 1.0),
    ],
)
def test_token_f1(answer: str, reference: str, f1: float) -> None:
    assert token_f1(answer, reference) == pytest.approx(f1)
    assert exact_match(answer, reference) == float(f1 == 1.0)


def test_order_counts_for_exact_match_only() -> None:
    assert token_f1("b a1", "a1 b") == 1.0
    assert exact_match("b a1", "a1 b") == 0.0


def test_an_answer_that_is_only_an_article_keeps_it() -> None:
    assert answer_tokens("A") == ["a"]
    assert exact_match("A", "the") == 0.0


@given(st.text(max_size=40), st.text(max_size=40))
def test_f1_is_symmetric_bounded_and_at_least_exact_match(left: str, right: str) -> None:
    f1 = token_f1(left, right)
    assert 0.0 <= f1 <= 1.0
    assert f1 == pytest.approx(token_f1(right, left))
    assert f1 >= exact_match(left, right)
    assert token_f1(left, left) == 1.0


@pytest.mark.parametrize(
    ("answer", "reference", "score"),
    [
        # Lin 2004, section 3.1: S1 is the reference
        ("police kill the gunman", "police killed the gunman", 0.75),
        ("the gunman kill police", "police killed the gunman", 0.5),
        ("gunman the killed police", "police killed the gunman", 0.25),
        ("the cat sat on the mat", "the cat was on the mat today", 2 * 5 / 13),
        ("東京都", "東京", 0.8),
        ("", "cat", 0.0),
        ("", "...", 1.0),
    ],
)
def test_rouge_l_is_that_of_the_literature(answer: str, reference: str, score: float) -> None:
    assert rouge_l(answer, reference) == pytest.approx(score)


@given(st.lists(st.sampled_from("abc"), max_size=6), st.lists(st.sampled_from("abc"), max_size=6))
def test_the_common_subsequence_is_the_longest(first: list[str], second: list[str]) -> None:
    def subsequences(words: list[str]) -> set[tuple[str, ...]]:
        return {c for n in range(len(words) + 1) for c in combinations(words, n)}

    longest = max(map(len, subsequences(first) & subsequences(second)))
    assert common_subsequence(first, second) == longest


@given(st.text(), st.text())
def test_rouge_l_is_a_symmetric_share(first: str, second: str) -> None:
    assert 0 <= rouge_l(first, second) <= 1
    assert rouge_l(first, second) == pytest.approx(rouge_l(second, first))
    assert (rouge_l(first, second) == 1) == (all_words(first) == all_words(second))


@pytest.mark.parametrize(
    ("answer", "reference", "doublings"),
    [("one", "two", 0.0), ("a b c", "a", 1.0), ("a", "a b c", 1.0), ("", "a b c", 2.0)],
)
def test_length_is_counted_in_doublings(answer: str, reference: str, doublings: float) -> None:
    assert doublings_off(answer, reference) == doublings


@pytest.mark.parametrize(
    ("answer", "share"),
    [
        ("the boat is late " * 50, 1 - 4 / 197),  # a loop: 4 different runs of 197
        ("a b c d A, B! c d", 1 - 4 / 5),
        ("boat boat boat boat", 0.0),  # one run: too short to repeat any
        ("", 0.0),
        ("Report a lost bag at the harbour desk within seven days, with its tag number.", 0.0),
        (
            "The ferry leaves Stell at 07:15 and Ness at 08:40; the ferry leaves Stell again.",
            1 / 14,
        ),
    ],
)
def test_repetition_is_the_share_of_runs_said_before(answer: str, share: float) -> None:
    assert repeated_share(answer) == pytest.approx(share)


@given(st.lists(st.sampled_from("abcd"), max_size=40))
def test_repetition_is_a_share_that_direction_does_not_change_and_saying_again_raises(
    words: list[str],
) -> None:
    share = repeated_share(" ".join(words))
    assert 0 <= share < 1
    assert repeated_share(" ".join(reversed(words))) == share
    if len(words) >= 4:
        assert repeated_share(" ".join(words * 2)) > share


@given(st.integers(0, 60))
def test_words_that_all_differ_repeat_nothing(count: int) -> None:
    assert repeated_share(" ".join(f"w{number}" for number in range(count))) == 0
