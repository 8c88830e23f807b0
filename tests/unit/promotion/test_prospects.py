"""Before training: can this run end in PASS at all?"""

import pytest

from tasks.promotion.config import GateConfig
from tasks.promotion.prospects import why_undecided

GATE = GateConfig(min_test_rows=50)


@pytest.mark.parametrize(
    ("rows", "scored", "told"),
    [
        (50, 50, ""),
        (300, 200, ""),
        (15, 200, "it has 15 test rows, and a verdict wants 50"),
        (49, 20, "it has 49 test rows"),
        (300, 20, "20 test rows are scored (evaluation.test_rows), and a verdict wants 50"),
    ],
)
def test_too_few_test_rows_are_said_with_what_to_change(rows, scored, told):
    found = why_undecided(rows, scored, GATE)
    assert told in found and bool(found) == bool(told)


def test_a_leg_that_is_switched_off_keeps_no_run_from_passing():
    off = GATE.model_copy(update={"switched_off": {"sample_size": "A trial on few rows."}})
    assert why_undecided(15, 200, off) == ""
