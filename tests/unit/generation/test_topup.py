"""The laws of topping up, whatever the model's yield is."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.generation.topup import Progress, next_round, why_short


@dataclass(frozen=True)
class Outcome:
    progress: Progress
    rounds: int


def play(wanted: int | None, gives: list[bool], limit: int | None, min_yield: float) -> Outcome:
    """Ask in rounds about subjects of which some give a row."""
    asked, rounds = 0, 0
    while True:
        kept = sum(gives[:asked])
        progress = Progress(wanted, kept, asked, len(gives), limit, min_yield)
        size = next_round(progress)
        if not size:
            return Outcome(progress, rounds)
        asked, rounds = asked + size, rounds + 1


yields = st.lists(st.booleans(), max_size=300)
limits = st.none() | st.integers(1, 200)


@given(st.integers(1, 100), yields, limits, st.sampled_from([0.0, 0.02, 0.2]))
def test_asking_ends_with_the_rows_or_with_a_reason(wanted, gives, limit, min_yield) -> None:
    end = play(wanted, gives, limit, min_yield).progress
    assert end.asked <= min(len(gives), limit or len(gives))
    reason = why_short(end, end.kept)
    if end.kept >= wanted:
        assert reason is None
    else:
        assert end.room == 0 or end.hopeless
        assert reason


@given(st.integers(1, 100), st.integers(0, 300), limits)
def test_a_perfect_model_is_asked_for_no_more_than_is_wanted(wanted, usable, limit) -> None:
    end = play(wanted, [True] * usable, limit, 0.02).progress
    assert end.asked == min(wanted, usable, limit or usable)


@given(yields, limits)
def test_without_a_target_there_is_one_round_up_to_the_limit(gives, limit) -> None:
    end = play(None, gives, limit, 0.5)
    assert end.rounds == (1 if gives else 0)
    assert end.progress.asked == min(len(gives), limit or len(gives))


@pytest.mark.parametrize("share", [2, 5, 10])
def test_a_steady_yield_takes_few_rounds_and_little_more_than_needed(share: int) -> None:
    gives = [n % share == 0 for n in range(5000)]
    end = play(100, gives, None, 0.02)
    assert 100 <= end.progress.kept <= 115
    assert end.rounds <= 8


def test_a_hopeless_model_is_given_up_early() -> None:
    end = play(100, [False] * 5000, None, 0.02).progress
    assert end.asked <= 200
    assert "a larger model" in (why_short(end, 0) or "")


@pytest.mark.parametrize(
    ("progress", "kept", "said"),
    [
        (Progress(5, 0, 0, 0, None, 0.02), 0, "no passage is fit"),
        (Progress(5, 2, 10, 10, None, 0.02), 2, "no further subject"),
        (Progress(5, 2, 10, 90, 10, 0.02), 2, "llm.max_calls"),
        (Progress(5, 5, 10, 90, None, 0.02), 3, "limits on the whole dataset"),
        (Progress(5, 2, 10, 90, None, 0.02, spent=True), 2, "budget"),
    ],
)
def test_the_reason_is_the_one_that_holds(progress: Progress, kept: int, said: str) -> None:
    assert said in (why_short(progress, kept) or "")
