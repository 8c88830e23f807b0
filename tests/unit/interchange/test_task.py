"""The task on a real MLflow store, without a Prefect server."""

import json

import pytest

from data_contracts.dataset import read_kept, read_manifest
from tasks.interchange.config import DatasetSource, ImportConfig
from tasks.interchange.task import import_examples
from tasks.scrubbing.config import ScrubbingConfig
from tasks.tracking import start_pipeline_run
from tests.tiny_models import tiny_base

# MLflow's own queries warn of SQLAlchemy's next release.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    # MLflow finds its own source class twice
    pytest.mark.filterwarnings("ignore:The specified dataset source:UserWarning"),
]


def test_a_dataset_comes_in_once_wherever_it_lies(tmp_path):
    base = tiny_base(tmp_path / "base", "llama")
    context = start_pipeline_run(
        tmp_path / "home", f"sqlite:///{tmp_path / 'mlflow.db'}", "test", "run", {}
    )
    record = {"question": "Who signs the contract?", "answer": "Ask jane.doe@gsa.gov about it."}
    long = {"question": "Who signs the contract?", "answer": "The head of unit. " * 200}

    def run(place):
        path = tmp_path / place / "faq.jsonl"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(record) + "\n" + json.dumps(long) + "\n", encoding="utf-8")
        config = ImportConfig(sources=(DatasetSource(path=str(path), licence="CC0-1.0"),))
        return import_examples.fn(config, ScrubbingConfig(), base, context)

    ref = run("here")
    manifest = read_manifest(tmp_path / "home" / "datasets" / "import" / ref.fingerprint)
    assert (manifest.rows_in, manifest.rows_kept) == (2, 1)
    assert manifest.drop_reasons == {"too_long": 1}
    assert manifest.figures["scrubbed.email"] == 1
    assert "sources.json" in manifest.files
    assert str(tmp_path) not in manifest.model_dump_json()
    [row] = read_kept(ref).to_pylist()
    assert "jane" not in row["answer"]
    assert row["language"] == "en"
    assert run("there") == ref
