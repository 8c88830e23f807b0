import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.evaluation.metrics import answer_tokens, exact_match, token_f1


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
