"""SIGKILL in the middle of generation and of training; started again, it goes on."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.flows.conftest import tiny_profile  # noqa: F401 - a fixture
from tests.plain_environment import plain_environment

pytestmark = pytest.mark.timeout(900)


def start(profile: Path, home: Path, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "flows.cli", "run", str(profile), "--json"],
        env=plain_environment(TEMPER_HOME=str(home), **environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # a group to kill; Prefect's temporary server ends after it
    )


def finish(process: subprocess.Popen[str]) -> dict[str, object]:
    stdout, stderr = process.communicate(timeout=600)
    assert process.returncode == 0, stderr[-2000:]
    return json.loads(stdout)


def kill_when(process: subprocess.Popen[str], reached: Callable[[], bool]) -> None:
    while not reached():
        assert process.poll() is None, "it ended before the moment came"
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


@pytest.fixture(scope="module")
def slow_profile(tiny_profile, tmp_path_factory) -> Path:  # noqa: F811
    """The tiny profile with enough steps between checkpoints to hit the middle."""
    values = yaml.safe_load(tiny_profile.read_text())
    values["training"] |= {"epochs": 3, "evaluations_per_epoch": 4, "patience": 50}
    path = tmp_path_factory.mktemp("slow") / "slow.yaml"
    path.write_text(yaml.safe_dump(values))
    return path


def weights(result: dict[str, object]) -> bytes:
    return (Path(str(result["model_folder"])) / "weights/adapter_model.safetensors").read_bytes()


@pytest.fixture(scope="module")
def undisturbed(slow_profile, tmp_path_factory) -> dict[str, object]:
    return finish(start(slow_profile, tmp_path_factory.mktemp("whole")))


def half_trained(home: Path) -> bool:
    return bool(list(home.glob("models/tuned/*.unfinished/checkpoints/checkpoint-*/*.json")))


def test_a_killed_pipeline_ends_where_an_undisturbed_one_does(undisturbed, slow_profile, tmp_path):
    home = tmp_path / "killed"
    partitions = home / "cache" / "generation"
    kill_when(start(slow_profile, home), lambda: len(list(partitions.rglob("*.arrow"))) >= 3)
    done = set(partitions.rglob("*.arrow"))
    assert not list((home / "datasets").glob("generation/*/manifest.json"))

    kill_when(start(slow_profile, home), lambda: half_trained(home))
    assert done <= set(partitions.rglob("*.arrow"))
    assert not list(home.glob("models/tuned/*/manifest.json"))

    resumed = finish(start(slow_profile, home))
    assert resumed["dataset_content"] == undisturbed["dataset_content"]
    assert weights(resumed) == weights(undisturbed)
    assert not list(home.rglob("*.partial"))


def test_a_preempted_pipeline_goes_on_elsewhere(undisturbed, slow_profile, tmp_path):
    one, two, store = tmp_path / "one", tmp_path / "two", tmp_path / "store"
    first = start(slow_profile, one, TEMPER_STORE=str(store))
    while not half_trained(one):
        assert first.poll() is None, "it ended before the moment came"
        time.sleep(0.01)
    first.send_signal(signal.SIGTERM)
    _, said = first.communicate(timeout=600)
    assert first.returncode == 128 + signal.SIGTERM, said[-2000:]
    one.rename(tmp_path / "gone")

    second = start(slow_profile, two, TEMPER_STORE=str(store))
    stdout, said = second.communicate(timeout=600)
    assert second.returncode == 0, said[-2000:]
    resumed = json.loads(stdout)
    assert "going on from checkpoint-" in said
    assert resumed["dataset_content"] == undisturbed["dataset_content"]
    assert weights(resumed) == weights(undisturbed)
    assert not list(store.glob("unfinished/*"))
