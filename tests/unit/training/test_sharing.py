"""How the rows of a batch are shared among processes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tasks.modeling.chat import IGNORED, EncodedExample
from tasks.training.config import TrainingConfig
from tasks.training.sampling import LengthGroupedSampler
from tasks.training.sharing import SharedOut, with_blank, without_blanks


@given(st.lists(st.integers(1, 50), min_size=1, max_size=60), st.integers(1, 4), st.integers(1, 4))
def test_together_the_processes_see_the_batches_of_one(
    lengths: list[int], processes: int, rows_of_each: int
) -> None:
    size, count = processes * rows_of_each, len(lengths)
    sampler = LengthGroupedSampler(lengths, size, seed=1)
    alone = list(sampler)
    shared = SharedOut(sampler, count, size, processes)
    together = list(shared)
    assert len(together) == len(shared) == -(-count // size) * size
    for start in range(0, len(together), size):
        batch = together[start : start + size]
        assert sorted(row for row in batch if row < count) == sorted(alone[start : start + size])
        parts = [batch[i : i + rows_of_each] for i in range(0, size, rows_of_each)]
        filled = [sum(row < count for row in part) for part in parts]
        assert max(filled) - min(filled) <= 1, "no process has two rows more than another"


def test_nothing_is_learned_from_a_blank_row() -> None:
    row = EncodedExample((5, 6, 7), (IGNORED, 6, 7))
    rows = with_blank([row], pad_token_id=0)
    assert rows[0] == row
    assert not rows[1].supervised
    assert without_blanks(rows) == [row]
    assert without_blanks([rows[1], rows[1]]) == [rows[1]], "a process needs a forward pass"


@pytest.mark.parametrize(
    "values",
    [
        {"batch_size": 3, "processes": 2},
        {"sharding": "fsdp"},
        {"processes": 2, "sharding": "fsdp", "method": {"method": "adalora"}},
    ],
)
def test_what_processes_cannot_share_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="process|sharding"):
        TrainingConfig.model_validate(values)
