"""What tests of flows share: the tiny profile, and a home folder for each test."""

from pathlib import Path

import pytest
from prefect.testing.utilities import prefect_test_harness

from tests.tiny_profile import write_tiny_profile


@pytest.fixture(scope="module")
def prefect_server():
    with prefect_test_harness(server_startup_timeout=120):
        yield


@pytest.fixture(scope="session")
def tiny_profile(tmp_path_factory) -> Path:
    """Return a profile that runs the sample documents through a tiny model, without an LLM."""
    return write_tiny_profile(tmp_path_factory.mktemp("profile"))


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """Return a home folder of its own for a test, with its own MLflow database."""
    monkeypatch.setenv("TEMPER_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return tmp_path / "home"
