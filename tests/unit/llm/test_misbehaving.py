"""A small run of the benchmark: nothing lost, nothing paid for twice."""

from benchmarks.llm_misbehaving import measure, render
from benchmarks.misbehaving_endpoint import SHARES


def test_no_request_is_lost_and_no_reply_paid_for_twice() -> None:
    result = measure(500, timeout=5)  # the tests' machine may be busy
    assert (result.lost, result.wrong, result.doubled, result.asked_again) == (0, 0, 0, 0)
    assert sum(result.ends.values()) == 500
    assert result.ends["accepted"] > 450
    assert "nothing stated" not in result.ends
    assert len(result.met) == len(SHARES) + 2  # every misbehaviour was met
    assert result.figures["llm_failed"] == sum(
        count for end, count in result.ends.items() if end.startswith("failed")
    )
    assert "lost (neither" in render(500, result)
