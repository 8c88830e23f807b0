"""Every service went away in the middle of a run and came back: nothing is lost."""

import json
import subprocess
import sys

import pytest

from tests.plain_environment import plain_environment
from tests.stack import REPOSITORY

pytestmark = pytest.mark.timeout(3600)


def test_a_run_outlives_the_restart_of_every_service(stack, piped):
    assert stack.door.refused
    assert len(list(stack.home.glob("models/tuned/*/manifest.json"))) == 1
    assert not list(stack.home.glob("models/tuned/*.unfinished"))
    assert len(list(stack.home.glob("reports/*.html"))) == 1


def test_it_made_what_a_run_without_services_makes(stack, piped, tiny_profile, tmp_path):
    ran = subprocess.run(
        [sys.executable, "-m", "flows.cli", "run", str(tiny_profile), "--json"],
        env=plain_environment(TEMPER_HOME=str(tmp_path)),
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    alone, weights = made(tmp_path)
    among, interrupted = made(stack.home)  # other tests make datasets there, too
    assert {stage for stage, _ in alone} >= {"ingestion", "augmentation", "evaluation"}
    assert alone <= among
    assert weights == interrupted


def made(home):
    """Return the hash of each dataset's rows, by stage, and the tuned weights."""
    told = [json.loads(path.read_text()) for path in home.glob("datasets/*/*/manifest.json")]
    weights = [path.read_bytes() for path in home.glob("models/tuned/*/weights/*.safetensors")]
    return {(each["stage"], each["content_sha256"]) for each in told}, weights
