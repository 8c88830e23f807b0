"""A disk that is full, a clock that jumps, two runs at once: nothing lost, nothing doubled."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.faults import half_written, start
from tests.e2e.faults import machine_with_faults
from tests.e2e.faulty_run import PLACES
from tests.plain_environment import plain_environment
from tests.tiny_profile import copy_few, write_tiny_profile

pytestmark = pytest.mark.timeout(1800)


@pytest.fixture(scope="module")
def profile(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("profile")
    return write_tiny_profile(folder, copy_few(folder / "documents"))


@pytest.fixture(scope="module")
def found(profile, tmp_path_factory, repository) -> dict[str, Any]:
    """What came of whole runs on a machine with faults, all in one process."""
    folder = tmp_path_factory.mktemp("faults")
    environment = machine_with_faults(folder) | {"PYTHONPATH": str(repository)}
    ran = subprocess.run(
        [sys.executable, "-m", "tests.e2e.faulty_run", str(profile), str(folder / "homes")],
        env=plain_environment(**environment),
        cwd=repository,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    return json.loads(ran.stdout.splitlines()[-1])


def same(one: dict[str, Any], two: dict[str, Any]) -> bool:
    """Whether two runs ended with the same dataset, model and verdict, registered once."""
    parts = ("dataset_content", "weights", "verdict", "model_version")
    return all(one[part] == two[part] for part in parts)


@pytest.mark.parametrize("place", PLACES)
def test_a_full_disk_is_said_plainly_and_leaves_nothing_half_written(found, place):
    (full,) = (each for each in found["full"] if each["place"] == place)
    assert full["clear"], full
    assert full["left"] == []


def test_once_there_is_room_the_run_ends_where_an_undisturbed_one_does(found):
    assert same(found["after full"], found["whole"])


def test_a_clock_that_jumps_changes_nothing_and_makes_nothing_again(found):
    assert same(found["jumps"], found["whole"])
    assert same(found["jumps again"], found["whole"])
    assert found["jumps again"]["model_folder"] == found["jumps"]["model_folder"]
    assert found["made again"] == []


def test_two_runs_of_one_profile_at_once_make_everything_once(profile, found, tmp_path):
    home = tmp_path / "home"
    runs = [start(profile, home) for _ in range(2)]
    ended = [json.loads(run.communicate()[0] or "null") for run in runs]
    log = (tmp_path / "home.log").read_text()
    assert [run.returncode for run in runs] == [0, 0], log[-3000:]
    for result in ended:
        for part in ("dataset_content", "verdict", "model_version"):
            assert result[part] == found["whole"][part]
    weights = Path(ended[0]["model_folder"]) / "weights" / "adapter_model.safetensors"
    assert weights.read_bytes().hex() == found["whole"]["weights"]
    assert len([line for line in log.splitlines() if "training: best" in line]) == 1
    assert half_written(home) == 0
