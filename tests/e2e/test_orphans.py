"""A run that is killed leaves no process behind."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from tests.flows.conftest import tiny_profile  # noqa: F401 - a fixture
from tests.plain_environment import plain_environment

pytestmark = pytest.mark.timeout(900)


def test_the_temporary_server_ends_with_a_killed_run(tiny_profile, tmp_path):  # noqa: F811
    run = subprocess.Popen(
        [sys.executable, "-m", "flows.cli", "run", str(tiny_profile)],
        env=plain_environment(TEMPER_HOME=str(tmp_path)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while not list((tmp_path / "datasets").glob("*/*/manifest.json")):
            assert run.poll() is None, "it ended before the moment came"
            time.sleep(0.05)
        started = psutil.Process(run.pid).children(recursive=True)
        assert any("flows.temporary_server" in child.cmdline() for child in started)
    finally:
        os.kill(run.pid, signal.SIGKILL)
        run.wait()
    _ended, alive = psutil.wait_procs(started, timeout=120)
    assert alive == []
