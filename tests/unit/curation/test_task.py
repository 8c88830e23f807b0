import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_contracts.dataset import DatasetRef
from data_contracts.errors import LeakageFound
from tasks.curation import task
from tasks.curation.config import CurationConfig
from tasks.tracking import RunContext, connect, start_pipeline_run

CONFIG = CurationConfig()
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> RunContext:
    home = tmp_path_factory.mktemp("home")
    return start_pipeline_run(home, f"sqlite:///{home}/mlflow.db", "test", "test", {})


def store(home: Path, name: str, examples: pa.Table) -> DatasetRef:
    """Store a table as a dataset of which only the kept rows matter."""
    folder = home / name
    folder.mkdir()
    pq.write_table(examples, folder / "kept-00000.parquet")
    return DatasetRef(
        stage="test", fingerprint=name, folder=str(folder), content_sha256=name,
        rows=examples.num_rows,
    )  # fmt: skip


def runs(context: RunContext, stage: str) -> list:
    client = connect(context.tracking_uri).MlflowClient()
    experiment = client.get_experiment_by_name(context.experiment).experiment_id
    return client.search_runs([experiment], f"tags.`temper.stage` = '{stage}'")


def test_audit_logs_its_certificate_and_makes_it_once(
    table, context: RunContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    examples = table([{"split": "train"}, {"split": "validation"}, {"split": "test"}])
    ref = store(context.home, "clean", examples)
    certificate = task.audit.fn(ref, CONFIG, context)
    assert certificate.passed
    (run,) = runs(context, "audit")
    assert run.data.metrics["test.exact.hits"] == 0
    assert run.data.metrics["passed"] == 1
    logged = connect(context.tracking_uri).artifacts.load_dict(
        f"{run.info.artifact_uri}/leakage_certificate.json"
    )
    assert logged == json.loads(certificate.model_dump_json())

    monkeypatch.setattr(task, "audit_leakage", None)  # calling it would raise
    assert task.audit.fn(ref, CONFIG, context) == certificate


def test_a_leak_stops_the_pipeline_and_names_the_rows(table, context: RunContext) -> None:
    leak = {"question": "What is a berth?", "answer": "A place for a ship."}
    rows = [
        {"split": "train", "example_id": "giver"} | leak,
        {"split": "test", "example_id": "given"} | leak,
    ]
    with pytest.raises(LeakageFound, match=r"given.*giver"):
        task.audit.fn(store(context.home, "leaky", table(rows)), CONFIG, context)
