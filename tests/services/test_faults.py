"""Every service went away in the middle of a run and came back: nothing is lost."""

import pytest

pytestmark = pytest.mark.timeout(3600)


def test_a_run_outlives_the_restart_of_every_service(stack, piped):
    assert stack.door.refused
    assert len(list(stack.home.glob("models/tuned/*/manifest.json"))) == 1
    assert not list(stack.home.glob("models/tuned/*.unfinished"))
    assert len(list(stack.home.glob("reports/*.html"))) == 1
