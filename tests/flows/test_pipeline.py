"""The main job, run twice through Prefect with a tiny model: every part is real."""

import json
from pathlib import Path

import pytest

from data_contracts.dataset import read_dropped, read_kept, read_manifest
from data_contracts.errors import PromotionError
from flows.build_dataset import dataset_pipeline
from flows.config import load_config
from flows.pipeline import fine_tuning_pipeline
from flows.promote import promote, rollback
from tests.notebook import shown_by


@pytest.fixture(scope="module")
def runs(tiny_profile, tmp_path_factory, prefect_server):
    """Two runs of the same profile in one home folder; the second says a setting again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TEMPER_HOME", str(tmp_path_factory.mktemp("home")))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        again = [f"training.batch_size={load_config(str(tiny_profile)).training.batch_size}"]
        return [fine_tuning_pipeline(str(tiny_profile), settings=given) for given in ([], again)]


@pytest.fixture
def mlflow(runs):
    import mlflow as module

    module.set_tracking_uri(runs[0].tracking_uri)
    return module


@pytest.fixture
def home_of_runs(runs, monkeypatch):
    home = Path(runs[0].dataset_folder).parents[2]
    monkeypatch.setenv("TEMPER_HOME", str(home))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return home


@pytest.fixture
def passed_version(runs, mlflow):
    """The registered version with the verdict PASS and no champion; put back afterwards."""
    version, client = runs[0].model_version, mlflow.MlflowClient()
    made = client.get_model_version(version.name, version.version)
    logged = mlflow.artifacts.load_dict(f"runs:/{made.run_id}/verdict.json")

    def say(tag, verdict):
        client.set_model_version_tag(version.name, version.version, "temper.verdict", tag)
        client.log_dict(made.run_id, verdict, "verdict.json")
        client.delete_registered_model_alias(version.name, "champion")

    say("PASS", logged | {"outcome": "PASS"})
    yield version
    say(made.tags["temper.verdict"], logged)


def children(mlflow, run_id):
    client = mlflow.MlflowClient()
    run = client.get_run(run_id)
    found = client.search_runs(
        [run.info.experiment_id],
        f"tags.`mlflow.parentRunId` = '{run_id}'",
        order_by=["attributes.start_time"],
    )
    return {child.data.tags["mlflow.runName"]: child for child in found}


def test_every_stage_is_a_child_run_with_its_counts(runs, mlflow):
    stages = children(mlflow, runs[0].mlflow_run_id)
    assert {"ingestion", "chunking", "generation", "curation", "splitting", "augmentation"} <= set(
        stages
    )
    assert {"audit", "training", "evaluation", "comparison", "gate", "registration"} <= set(stages)
    assert {"examination", "compared examinations"} <= set(stages)
    assert {"memorisation", "memorisation comparison"} <= set(stages)
    verdict = {leg.name: leg.outcome for leg in runs[0].verdict.legs}
    assert verdict["lineage"] == "PASS"
    assert "memorisation" in verdict
    for name in ("ingestion", "generation", "curation"):
        metrics = stages[name].data.metrics
        assert metrics["rows_in"] == metrics["rows_kept"] + metrics["rows_dropped"]
        assert stages[name].inputs.dataset_inputs


def test_every_stage_leaves_the_pages_of_its_contract(home_of_runs):
    for suite in ("ingestion", "generation", "curation", "splitting", "augmentation"):
        pages = home_of_runs / "data_docs" / suite
        assert (pages / "index.html").is_file()
        assert (pages / "expectations" / f"{suite}.html").is_file()
        assert list(pages.glob("validations/**/*.html"))


def test_the_second_run_recomputes_nothing(runs, mlflow):
    stages = children(mlflow, runs[1].mlflow_run_id)
    reused = {name: child.data.tags.get("temper.reused") for name, child in stages.items()}
    computed = {name for name, value in reused.items() if value == "false"}
    assert computed == set()
    assert sum(value == "true" for value in reused.values()) >= 9
    assert runs[1].dataset_content == runs[0].dataset_content
    assert runs[1].model_version == runs[0].model_version


def test_untidy_documents_become_dropped_rows_with_reasons(runs, mlflow):
    ingestion = children(mlflow, runs[0].mlflow_run_id)["ingestion"]
    folder = json.loads(ingestion.inputs.dataset_inputs[0].dataset.source)["uri"]
    manifest = read_manifest(Path(folder))
    assert {"empty", "corrupt", "unsupported", "duplicate_file"} <= set(manifest.drop_reasons)


def test_no_group_lies_on_two_sides_and_only_training_rows_are_augmented(runs):
    from data_contracts.dataset import reference

    folder = runs[0].dataset_folder
    rows = read_kept(reference(folder, read_manifest(folder))).to_pylist()
    sides = {}
    for row in rows:
        sides.setdefault(row["group_id"], set()).add(row["split"])
    assert all(len(splits) == 1 for splits in sides.values())
    assert {row["split"] for row in rows if row["parent_id"]} == {"train"}
    assert {row["split"] for row in rows} == {"train", "validation", "test"}


def test_the_registered_version_says_where_it_comes_from(runs, mlflow):
    version = runs[0].model_version
    client = mlflow.MlflowClient()
    found = client.get_model_version(version.name, version.version)
    assert found.tags["temper.verdict"] == runs[0].verdict.outcome
    assert found.tags["temper.dataset_content"] == runs[0].dataset_content
    assert found.tags["temper.pipeline_run"] == runs[0].mlflow_run_id
    challenger = client.get_model_version_by_alias(version.name, "challenger")
    assert str(challenger.version) == version.version


def test_the_champion_alias_follows_the_verdict(runs, mlflow):
    version = runs[0].model_version
    client = mlflow.MlflowClient()
    aliases = client.get_registered_model(version.name).aliases
    assert ("champion" in aliases) == (runs[0].verdict.outcome == "PASS") == version.champion


def test_only_a_passed_version_is_promoted(passed_version, mlflow, home_of_runs):
    name, number = passed_version.name, passed_version.version
    client = mlflow.MlflowClient()
    client.set_model_version_tag(name, number, "temper.verdict", "FAIL")
    with pytest.raises(PromotionError, match="only PASS is promoted"):
        promote("for a test", name, number)
    client.set_model_version_tag(name, number, "temper.verdict", "PASS")
    assert promote("for a test", name).champion
    champion = client.get_model_version_by_alias(name, "champion")
    assert str(champion.version) == number
    assert champion.tags["temper.reason"] == "for a test"
    with pytest.raises(PromotionError, match="no champion before"):
        rollback("for a test", name)


def test_a_version_carries_what_is_needed_to_make_it_again(runs, mlflow, tmp_path):
    from data_contracts.dataset import reference
    from flows.config import load_config
    from tasks.promotion.recipe import read_record

    version = runs[0].model_version
    recipe = read_record(mlflow, version.name, version.version).recipe
    folder = runs[0].dataset_folder
    assert recipe.examples == reference(folder, read_manifest(folder))
    assert recipe.libraries["torch"]
    run = mlflow.MlflowClient().get_model_version(version.name, version.version).run_id
    profile = mlflow.artifacts.download_artifacts(
        run_id=run, artifact_path="profile.yaml", dst_path=str(tmp_path)
    )
    assert load_config(profile).model_dump(mode="json") == recipe.profile


def test_a_version_is_made_again_in_a_fresh_home_from_what_it_carries(runs, mlflow, home, tmp_path):
    from data_contracts.base import file_sha256
    from flows.train import train_pipeline
    from tasks.modeling.tuned import WEIGHTS, read_model_manifest

    version = runs[0].model_version
    run = mlflow.MlflowClient().get_model_version(version.name, version.version).run_id
    profile = mlflow.artifacts.download_artifacts(
        run_id=run, artifact_path="profile.yaml", dst_path=str(tmp_path)
    )
    again = train_pipeline(profile)
    assert again.folder.is_relative_to(home) and not home.samefile(
        runs[0].dataset_folder.parents[2]
    )
    manifest = read_model_manifest(again.folder)
    assert manifest.examples == runs[0].dataset_content
    assert again.fingerprint == runs[0].model_folder.name
    weights = [path for path in manifest.files if path.startswith(f"{WEIGHTS}/")]
    assert any(path.endswith(".safetensors") for path in weights)
    for path in weights:
        assert file_sha256(again.folder / path) == file_sha256(runs[0].model_folder / path)


def test_a_version_carries_its_cards(runs, mlflow):
    from huggingface_hub import DatasetCard, ModelCard

    version = runs[0].model_version
    folder = mlflow.artifacts.download_artifacts(f"models:/{version.name}/{version.version}")
    (card,) = Path(folder).rglob(f"artifacts/{runs[0].model_folder.name}/README.md")
    assert "temper" in ModelCard.load(card).data.tags
    dataset = DatasetCard.load(card.parent / "dataset" / "README.md")
    assert dataset.data.task_categories == ["question-answering"]


def test_versions_are_compared_from_the_command_line(runs, home_of_runs):
    from typer.testing import CliRunner

    from flows.cli import app

    version = runs[0].model_version
    command = ["compare", "challenger", version.version, "--name", version.name]
    told = CliRunner().invoke(app, [*command, "--json"], catch_exceptions=False)
    found = json.loads(told.stdout)
    assert found["versions"] == [version.version] * 2
    assert all(figure["first"] == figure["second"] for figure in found["figures"])
    read = CliRunner().invoke(app, command, catch_exceptions=False)
    assert read.exit_code == 0
    assert "The same rows." in read.stdout and "cross_entropy" in read.stdout


def test_a_version_leads_to_rows_and_documents_and_these_lead_back(runs, home_of_runs):
    from tests.flows.test_lineage import run

    version = runs[0].model_version
    names = (f"{version.name}/{version.version}", f"{version.name}@challenger")
    forward, same = (json.loads(run("trace", name, "--json")) for name in names)
    assert forward == same == json.loads(run("trace", runs[0].model_folder.name, "--json"))
    assert forward["folder"] == str(runs[0].dataset_folder)
    assert len(forward["rows"]) == forward["splits"]["train"] > 0
    row = next(row for row in forward["rows"] if row["path"])
    assert row["chunk_id"] in {chunk["chunk_id"] for chunk in forward["chunks"]}
    of_row, of_document = (
        json.loads(run("trace", name, "--json")) for name in (row["example_id"], row["path"])
    )
    for back in (of_row, of_document):
        (found,) = back["registered"]
        assert (found["name"], found["version"]) == (version.name, version.version)
        assert found["aliases"] == ["champion"] * version.champion + ["challenger"]
    assert [m["fingerprint"] for m in of_document["models"]] == [runs[0].model_folder.name]


def test_an_alias_is_that_of_the_model_of_a_profile(runs, home_of_runs, tiny_profile):
    from data_contracts.errors import ConfigError
    from tests.flows.test_lineage import run

    text = run("trace", "challenger", "--dataset", tiny_profile)
    assert run("trace", "challenger", "--model", runs[0].model_version.name) == text
    shown = json.loads(run("trace", "challenger", "--model", "tiny", "--json"))
    assert f"{shown['splits']['train']} training rows on {len(shown['chunks'])} chunks" in text
    assert f"... and {len(shown['rows']) - 20} more (--json)" in text
    with pytest.raises(ConfigError, match="tiny/1"):
        run("trace", "tiny/7")


def test_a_version_compared_with_itself_differs_in_nothing(runs, mlflow):
    from functools import partial

    from tasks.evaluation.compare import compare
    from tasks.evaluation.config import EvaluationConfig
    from tasks.promotion.compare_versions import compare_versions
    from tasks.promotion.recipe import read_record

    version = runs[0].model_version
    record = read_record(mlflow, version.name, version.version)
    found = compare_versions(
        record, record, partial(compare, config=EvaluationConfig(bootstrap_resamples=200))
    )
    assert found.figures and found.paired
    assert {delta.change for delta in found.paired} == {"none"}
    assert found.dataset is None and not found.options and not found.libraries


def test_a_page_of_results_sets_evaluation_beside_training_and_a_run_beside_another(
    runs, mlflow, home_of_runs
):
    from benchmarks.pipeline_results import measured, render

    first, second = (measured(["temper", "run", "tiny"], run.mlflow_run_id) for run in runs)
    page = render(first, second, "training.epochs=1")
    lines = [line.strip("| ").split(" | ") for line in page.splitlines()]
    cells = {line[0]: line[1:] for line in reversed(lines)}  # the first of a name
    trained = children(mlflow, runs[0].mlflow_run_id)["training"].data.metrics
    assert cells["training"][1] == f"{trained['training.processor_seconds']:.0f}"
    evaluated = sum(
        value
        for child in first.of_stage("evaluation")
        for name, value in child.data.metrics.items()
        if name.startswith("processor_seconds.")
    )
    assert cells["evaluation"][1] == f"{evaluated:.0f}" != "0"
    share = evaluated / trained["training.processor_seconds"]
    assert cells["evaluation / training"][1] == f"{share:.2f}"
    for model in ("base", "tuned model"):
        assert {f"{model}: {part}" for part in ("loading", "answers", "noise")} <= set(cells)
    assert cells["verdict"] == [run.verdict.outcome for run in runs]
    gain, again = cells["test, cross_entropy"]
    assert gain == again and gain[0] in "+-"
    assert cells["selection"][0] == cells["curation"][1]


def test_the_registered_model_holds_no_pickle(runs, mlflow, tmp_path):
    address = f"models:/{runs[0].model_version.name}@challenger"
    folder = Path(mlflow.artifacts.download_artifacts(address, dst_path=str(tmp_path)))
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert any(path.suffix == ".safetensors" for path in files)
    assert "python_model.pkl" not in (folder / "MLmodel").read_text()
    # what pickle writes since Python 3.0 begins so, and what torch.save writes is a zip of it
    begins = {path.name: path.read_bytes()[:2] for path in files}
    assert not [name for name, start in begins.items() if start[:1] == b"\x80"]
    assert {name for name, start in begins.items() if start == b"PK"} <= {"temper.zip"}


def test_the_registered_model_answers(runs, mlflow):
    import pandas as pd

    version = runs[0].model_version
    model = mlflow.pyfunc.load_model(f"models:/{version.name}@challenger")
    question = pd.DataFrame({"question": ["What is a berth window?"], "context": ["A berth."]})
    (answer,) = model.predict(question, params={"max_new_tokens": 4})
    assert isinstance(answer, str)


def test_the_champion_is_judged_again_and_told_of_when_it_changes(
    passed_version, runs, tiny_profile, home_of_runs, prefect_server, monkeypatch
):
    from flows.evaluate import evaluate_champion
    from flows.promote import promote
    from tasks.promotion import task

    told = []
    monkeypatch.setattr(task, "emit_event", lambda **event: told.append(event))
    with pytest.raises(PromotionError, match="has no champion"):
        evaluate_champion(str(tiny_profile))
    promote("It passed.", passed_version.name)
    promote("It passed.", passed_version.name)  # it is the champion already
    assert [event["payload"]["before"] for event in told] == ["none"]
    judged = evaluate_champion(str(tiny_profile))
    assert judged.model.folder == runs[0].model_folder
    assert judged.verdict.outcome == runs[0].verdict.outcome
    assert told[-1]["event"] == task.JUDGED[judged.verdict.outcome]
    assert told[-1]["payload"]["leakage"] == "PASS"


def test_the_evaluation_of_a_champion_made_past_temper_tells_it(
    runs, mlflow, tiny_profile, home_of_runs, prefect_server, monkeypatch
):
    from flows.evaluate import evaluate_champion
    from tasks.promotion import task

    client, version = mlflow.MlflowClient(), runs[0].model_version
    made = client.get_model_version(version.name, version.version)
    client.create_registered_model("moved")
    client.create_model_version("moved", made.source, made.run_id, tags=dict(made.tags))
    client.set_registered_model_alias("moved", "champion", "1")
    told = []
    monkeypatch.setattr(task, "emit_event", lambda **event: told.append(event))
    evaluate_champion(str(tiny_profile), settings=["registry.model_name=moved"])
    (changed,) = [event for event in told if event["event"] == task.CHAMPION_CHANGED]
    assert changed["resource"]["prefect.resource.id"] == "temper.model.moved"
    assert changed["payload"] == {"version": "1", "before": "none"}


def test_the_notebook_on_datasets_shows_what_came_of_the_documents(runs, tmp_path, monkeypatch):
    text = shown_by("dataset", runs[1], tmp_path, monkeypatch)
    assert str(runs[1].dataset_folder) in text
    for said in ("augmentation", "1 unsupported", "over_limit", "near_duplicate"):
        assert said in text
    assert "(True, 0, {" in text, "the certificate"


def test_the_notebook_on_verdicts_reads_this_one(runs, tmp_path, monkeypatch):
    text = shown_by("verdict", runs[1], tmp_path, monkeypatch)
    assert f"'{runs[1].verdict.outcome}'" in text
    for leg in runs[1].verdict.legs:
        assert leg.name in text and leg.reason in text
    assert "cross_entropy" in text and runs[1].report.name in text


def test_the_report_is_one_file_that_escapes_documents(runs):
    html = runs[0].report.read_text()
    assert runs[0].verdict.outcome.lower() in html.lower()
    assert "<script" not in html


def test_the_report_says_what_to_type_for_the_same_run(runs, tiny_profile):
    first, again = (run.report.read_text() for run in runs)
    assert f"temper run {tiny_profile}<" in first
    assert f"temper run {tiny_profile} --set training.batch_size=" in again


def test_one_changed_document_recomputes_only_its_own_partitions(
    tiny_profile, home, prefect_server, tmp_path, repository
):
    import shutil

    documents = tmp_path / "documents"
    shutil.copytree(repository / "examples" / "handbook", documents)
    first = dataset_pipeline(str(tiny_profile), str(documents))
    before = {path.name for path in (home / "cache" / "ingestion").rglob("*.arrow")}
    changed = next(path for path in sorted(documents.rglob("*.md")))
    changed.write_text(changed.read_text() + "\n\nA lantern fee is a charge of 3 euros.\n")
    second = dataset_pipeline(str(tiny_profile), str(documents))
    after = {path.name for path in (home / "cache" / "ingestion").rglob("*.arrow")}
    assert len(after - before) == 1
    assert second.examples.content_sha256 != first.examples.content_sha256
    assert read_dropped(second.stages[0]).num_rows == read_dropped(first.stages[0]).num_rows
