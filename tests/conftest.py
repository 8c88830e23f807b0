"""What every test shares: a quiet, offline environment and one home for converted models."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# Examples are the same in every run, and a busy machine is no failure.
settings.register_profile("temper", deadline=None, derandomize=True)
settings.load_profile("temper")

# Before anything of Prefect, MLflow or transformers is imported.
os.environ.update(
    {
        "HF_HUB_OFFLINE": "1",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "GX_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        # a cold start on a busy machine takes longer than its default of 20 s
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "300",
        "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
        "OMP_WAIT_POLICY": "passive",
        "TOKENIZERS_PARALLELISM": "false",
        "TRANSFORMERS_VERBOSITY": "error",
    }
)

# Two tests run at once on two cores: threads of one would wait for those of the other. Five
# trainings of a tiny model, beside other work: 73 s of processor time and 176 s, not 85 and 282.
os.environ.setdefault("OMP_NUM_THREADS", "1")

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real documents and evaluation data; absent outside the development machines."""
    folder = REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"needs the real documents in {folder}")
    return folder


@pytest.fixture(scope="session")
def embedded_base():
    """The embedded base model, converted once a machine and shared by all tests."""
    from filelock import FileLock

    from tasks.modeling.base_model import EMBEDDED, resolve_base_model

    home = Path(os.environ.get("TEMPER_TEST_HOME", REPOSITORY / ".temper"))
    home.mkdir(parents=True, exist_ok=True)
    with FileLock(home / "embedded.lock"):
        return resolve_base_model(EMBEDDED, home)
