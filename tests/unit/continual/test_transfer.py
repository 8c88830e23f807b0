"""Transfer and forgetting against figures worked out by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_contracts.errors import TooFewRows
from tasks.continual.transfer import transfer_figures

# Rows: the base, after A, after B, after C; columns: loss on A, B, C.
LOSSES = [
    [4.0, 4.0, 4.0],
    [1.0, 3.0, 4.5],
    [2.0, 1.0, 3.5],
    [2.5, 0.5, 1.0],
]


def test_a_sequence_of_three_sets():
    found = transfer_figures(LOSSES)
    # A: 1.0 - 2.5, B: 1.0 - 0.5
    assert found.backward == pytest.approx((-1.5 + 0.5) / 2)
    # B before its turn: 4.0 - 3.0; C: 4.0 - 3.5
    assert found.forward == pytest.approx((1.0 + 0.5) / 2)
    # after B: A 2.0 - 1.0; after C: A 2.5 - 1.0, B 0.5 - min(3.0, 1.0)
    assert found.forgetting == pytest.approx([1.0, (1.5 - 0.5) / 2])


@given(st.floats(-5, 5), st.integers(2, 5))
def test_nothing_learned_is_nothing_forgotten(loss, sets):
    found = transfer_figures([[loss] * sets] * (sets + 1))
    assert (found.backward, found.forward, set(found.forgetting)) == (0.0, 0.0, {0.0})


@pytest.mark.parametrize("losses", [[], [[1.0]], [[1.0], [1.0]], [[1.0, 1.0], [1.0], [1.0, 1.0]]])
def test_another_shape_is_refused(losses):
    with pytest.raises(TooFewRows):
        transfer_figures(losses)
