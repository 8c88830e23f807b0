"""A whole pipeline in seconds: the sample documents and a tiny random model."""

from pathlib import Path

import pytest
import yaml
from prefect.testing.utilities import prefect_test_harness

from tests.tiny_models import tiny_base


@pytest.fixture(scope="module")
def prefect_server():
    with prefect_test_harness(server_startup_timeout=120):
        yield


@pytest.fixture(scope="session")
def tiny_profile(tmp_path_factory, repository: Path) -> Path:
    """Return a profile that runs the sample documents through a tiny model, without an LLM."""
    folder = tmp_path_factory.mktemp("profile")
    tiny_base(folder / "model", "gemma3")
    profile = {
        "name": "tiny",
        "documents": str(repository / "examples" / "handbook"),
        "base_model": str(folder / "model"),
        "chunking": {"max_tokens": 400},  # the tiny tokenizer makes many tokens of a word
        "generation": {
            "generators": [{"generator": name} for name in ("definition", "faq", "fact")],
            "max_rows_per_document": 4,
        },
        "splitting": {"train": 0.6, "validation": 0.2, "test": 0.2, "min_rows": 5},
        "training": {
            "learning_rate": 5e-3,
            "epochs": 1,
            "batch_size": 4,
            "max_length": 2000,
            "evaluations_per_epoch": 4,
        },
        "evaluation": {
            "test_rows": 12,
            "validation_rows": 6,
            "train_rows": 6,
            "generated_rows": 4,
            "max_new_tokens": 8,
            "general_items_per_skill": 2,
            "general_texts": 3,
            "max_length": 2000,
            "examinations": [{"examination": "retrieval", "rows": 3, "max_new_tokens": 3}],
        },
        "registry": {"model_name": "tiny"},
    }
    path = folder / "tiny.yaml"
    path.write_text(yaml.safe_dump(profile))
    return path


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """Return a home folder of its own for a test, with its own MLflow database."""
    monkeypatch.setenv("TEMPER_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return tmp_path / "home"
