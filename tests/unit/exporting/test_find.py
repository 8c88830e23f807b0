"""A model is found by what users call it, and its export is on the record."""

from pathlib import Path
from typing import Any

import pytest

from data_contracts.errors import ModelError
from data_contracts.results import ModelRef
from tasks.exporting.config import export_config
from tasks.exporting.export import export_model
from tasks.exporting.find import comparison_rows, find_tuned
from tasks.exporting.record import record_export
from tasks.promotion.registry import CHALLENGER, CHAMPION, MODEL_TAG
from tasks.tracking import connect

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:mlflow")


@pytest.fixture(scope="module")
def tracking(tmp_path_factory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('mlflow') / 'mlflow.db'}"


@pytest.fixture(scope="module")
def client(tracking, gemma) -> Any:
    """A registry in which version 2 is the model, 1 and 3 are others."""
    client = connect(tracking).MlflowClient()
    client.create_registered_model("temper")
    for fingerprint in ("b" * 32, gemma.fingerprint, "c" * 32):
        client.create_model_version("temper", "file:///nowhere", tags={MODEL_TAG: fingerprint})
    client.set_registered_model_alias("temper", CHAMPION, "2")
    client.set_registered_model_alias("temper", CHALLENGER, "3")
    return client


def home_of(model: ModelRef) -> Path:
    return model.folder.parents[2]


@pytest.mark.parametrize(
    "name", ["temper", "temper@champion", "temper/2", "models:/temper/2", "a" * 32, "FOLDER"]
)
def test_a_model_is_found_by_each_of_its_names(name, client, gemma):
    asked = str(gemma.folder) if name == "FOLDER" else name
    assert find_tuned(asked, home_of(gemma), client) == gemma


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("temper@challenger", "version 3, but its weights"),
        ("temper/1", "version 1, but its weights"),
        ("temper/9", "is no model"),
        ("other", "is no model"),
        ("temper@old", "is no model"),
    ],
)
def test_a_model_that_is_not_here_is_refused(name, message, client, gemma):
    with pytest.raises(ModelError, match=message):
        find_tuned(name, home_of(gemma), client)


def test_an_export_is_logged_and_marks_the_registered_version(client, tracking, gemma, tmp_path):
    rows = comparison_rows(gemma, home_of(gemma))[:3]  # the general skills: it has no dataset
    assert all(row["question"] for row in rows)
    export = export_model(gemma, rows, export_config(form="merged"), tmp_path / "out")
    run = client.get_run(record_export(export, tmp_path, tracking))
    assert run.data.metrics["equal_answers"] == 1.0
    assert run.data.tags["temper.export.merged.f32"] == "passed"
    assert [file.path for file in client.list_artifacts(run.info.run_id)] == ["export.json"]
    tags = [client.get_model_version("temper", version).tags for version in "12"]
    assert ["temper.export.merged.f32" in each for each in tags] == [False, True]
