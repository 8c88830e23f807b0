import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.memorisation.exposure import exposure

VALUES = np.random.default_rng(0).normal(-20, 2, 255)
numbers = st.floats(-60, 0)


def test_a_secret_no_likelier_than_others_is_not_exposed() -> None:
    assert exposure(-99.0, list(VALUES)) == pytest.approx(0.0)
    assert exposure(float(np.median(VALUES)), list(VALUES)) == pytest.approx(1.0, abs=0.1)


def test_among_the_others_it_is_the_rank_that_counts() -> None:
    third = float(np.sort(VALUES)[-3])
    assert exposure(third, list(VALUES)) == pytest.approx(np.log2(256 / 4))


def test_beyond_all_others_it_is_the_tail_of_their_distribution() -> None:
    # Five standard deviations above the mean of normal values: 2.9e-7, which is 21.7 bits.
    assert exposure(-10.0, list(VALUES)) == pytest.approx(21.7, abs=4)
    assert exposure(-1.0, list(VALUES)) > 40


def test_secrets_that_are_all_alike_tell_nothing() -> None:
    assert exposure(-20.0, [-20.0] * 63) == 0.0


@given(st.lists(numbers, min_size=31, max_size=64), numbers, st.floats(0, 30))
def test_a_likelier_secret_is_never_less_exposed(
    others: list[float], secret: float, more: float
) -> None:
    assert exposure(secret + more, others) >= exposure(secret, others) - 1e-9
