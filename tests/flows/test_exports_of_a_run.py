"""A profile's exports decide whether its model is registered."""

import pytest
import yaml

from data_contracts.errors import ExportError
from flows.pipeline import fine_tuning_pipeline
from tasks.exporting.config import TOLERANCES
from tasks.settings import Settings


def test_a_model_whose_export_answers_otherwise_is_not_registered(
    tiny_profile, home, prefect_server, tmp_path, monkeypatch
):
    import mlflow

    values = yaml.safe_load(tiny_profile.read_text())
    short = {"form": "merged", "prompts": 4, "max_new_tokens": 3}
    values["exports"] = [short, {**short, "precision": "bf16"}]
    profile = tmp_path / "exports.yaml"
    profile.write_text(yaml.safe_dump(values))
    # Half of the numbers' bits, and the tolerance of all of them.
    monkeypatch.setitem(TOLERANCES["merged"], "bf16", 1e-9)
    with pytest.raises(ExportError, match="merged in bf16 does not answer"):
        fine_tuning_pipeline(str(profile))
    mlflow.set_tracking_uri(Settings().resolved_tracking_uri)
    client = mlflow.MlflowClient()
    assert not client.search_registered_models()
    (run,) = client.search_runs(
        [client.get_experiment_by_name("tiny").experiment_id], "tags.`temper.stage` = 'gate'"
    )
    assert run.data.tags["temper.gate.export_parity"] == "FAIL"
    assert len(list(home.glob("reports/*.html"))) == 1, "it tells what is wrong"
    assert len(list(home.glob("exports/*/merged-*/export.json"))) == 2
