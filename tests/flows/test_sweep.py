"""Search, cross-validation and probes as flows, on a tiny model and a handful of documents."""

import json
import shutil
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from data_contracts.errors import ConfigError, TrainingError
from flows.cli import app
from flows.commands.search import _MEANINGS, _show
from flows.config import load_config
from flows.cross_validate import _without, cross_validate_pipeline
from flows.fine_tune import fine_tune
from flows.pipeline import fine_tuning_pipeline
from flows.probe import limited_to, probe_pipeline
from flows.serve import deployments
from flows.sweep import sweep_pipeline, trial_tables
from tasks.search import measure as measuring
from tasks.search.config import SweepConfig
from tasks.search.outcome import outcome_of
from tasks.search.study import next_trial, opened_study, succeed
from tasks.training.config import TrainingConfig
from tests.ferry_rows import ferry_rows
from tests.prefect_clients import table_shown


@pytest.fixture(scope="module")
def profile(tiny_profile, tmp_path_factory, prefect_server) -> str:
    """Return the tiny profile on the handbook's Markdown files, in a home of its own."""
    folder = tmp_path_factory.mktemp("sweep")
    values = yaml.safe_load(tiny_profile.read_text())
    documents = folder / "documents"
    documents.mkdir()
    for file in sorted(Path(values["documents"]).rglob("*.md"))[:12]:
        shutil.copy(file, documents / file.name)
    values |= {"documents": str(documents)}
    values["splitting"]["min_rows"] = 1
    path = folder / "tiny.yaml"
    path.write_text(yaml.safe_dump(values))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TEMPER_HOME", str(folder / "home"))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        yield str(path)


def space(**options) -> SweepConfig:
    paths = {
        "training.learning_rate": {"type": "log", "low": 1e-3, "high": 1e-2},
        "augmentation.replay.share": [0.0, 0.2],
    }
    return SweepConfig(space=paths, **{"trials": 3} | options)


def test_a_searched_profile_loads_and_a_finished_search_is_not_run_again(profile, tmp_path):
    first = sweep_pipeline(space(), profile)
    assert [trial.state for trial in first.outcome.trials] == ["complete"] * 3
    assert {t.values["augmentation.replay.share"] for t in first.outcome.trials} == {0.0, 0.2}
    (best,) = first.outcome.front
    file = tmp_path / "best.yaml"
    file.write_text(first.profiles[best])
    config = load_config(str(file))
    assert (
        config.training.learning_rate
        == (first.outcome.trial(best).values["training.learning_rate"])
    )
    assert config.documents == load_config(profile).documents
    shown = table_shown("trials")
    assert [row["trial"] for row in shown if row["front"]] == [best] and len(shown) == 3
    again = sweep_pipeline(space(), profile)
    assert again.outcome == first.outcome


def test_the_front_and_what_mattered_are_printed(tmp_path, capsys):
    rate, decay = "training.learning_rate", "training.weight_decay"
    paths = {
        rate: {"type": "log", "low": 1e-5, "high": 1e-1},
        decay: {"type": "float", "low": 0, "high": 1},
    }
    options = SweepConfig(space=paths, trials=24, objectives=("loss", "retention"), prune=False)
    with opened_study(tmp_path, "s", options) as study:
        while (drawn := next_trial(study, options, "lora")) is not None:
            trial, values = drawn
            succeed(study, trial, [(100 * values[rate] - 1) ** 2, 1 - values[decay]])
        outcome = outcome_of(study, options)
    assert 1 < len(outcome.front) < 24
    _show(outcome)
    printed = capsys.readouterr().out
    table = printed.partition("Front: no trial is better in everything")[2].partition(_MEANINGS)[0]
    heads, *rows = [line.split() for line in table.strip().splitlines()]
    assert heads == ["trial", "loss", "retention", "learning_rate", "weight_decay"]
    assert [int(row[0]) for row in rows] == outcome.front
    mattered = printed.partition("What mattered")[2].strip().splitlines()[1:]
    shares = {path: figures for path, *figures in map(str.split, mattered)}
    assert shares.keys() == {rate, decay}
    for place, path in enumerate((rate, decay)):  # each objective hangs on one of them
        told = int(shares[path][place].rstrip("%"))
        assert told == round(100 * outcome.importances[options.objectives[place]][path]) > 50


def test_a_wrong_path_is_said_before_a_dataset_is_built(profile):
    wrong = SweepConfig(space={"training.lerning_rate": [1e-3]})
    with pytest.raises(ConfigError, match="learning_rate"):
        sweep_pipeline(wrong, profile)


def test_cross_validation_tells_each_fold_and_their_spread(profile):
    found = cross_validate_pipeline(profile, 3)
    losses = [record.loss for record in found.folds]
    assert found.mean == pytest.approx(sum(losses) / 3)
    assert found.deviation > 0
    assert min(record.scored_rows for record in found.folds) > 0
    assert [row["loss"] for row in table_shown("folds")] == losses


def test_a_search_within_folds_chooses_without_the_fold_that_scores_it(profile, monkeypatch):
    seen: list[tuple[set[str], set[str]]] = []
    measure = measuring.measure

    def watched(table, base, training, folder, on_point, *rest):
        of = [
            {row["group_id"] for row in table.to_pylist() if (row["split"] == "test") == scored}
            for scored in (False, True)
        ]
        seen.append((of[0], of[1]))
        return measure(table, base, training, folder, on_point, *rest)

    monkeypatch.setattr(measuring, "measure", watched)
    rates = SweepConfig(space={"training.learning_rate": [2e-3, 8e-3]}, trials=1)
    found = cross_validate_pipeline(profile, 3, sweep=rates)
    assert len(found.chosen) == len(found.searched) == len(found.folds) == 3
    assert len(seen) == 3 * 2
    for (known, tested), (_, scored) in zip(seen[::2], seen[1::2], strict=True):
        assert known and scored and not tested and not known & scored
    again = cross_validate_pipeline(profile, 3, sweep=rates)
    assert len(seen) == 6 and again.folds == found.folds


@pytest.mark.parametrize("inner", [0, 3])
def test_nothing_of_a_fold_is_in_what_the_search_without_it_sees(inner):
    """Also where trials are scored by folds of their own, at more trainings than a test bears."""

    def cells(number: int) -> dict[str, str]:
        told = {"group_id": f"g{number // 2}", "document_id": f"d{number // 2}"}
        return told | ({"split": "test"} if number >= 48 else {})

    def groups(table, *splits: str) -> set[str]:
        return {row["group_id"] for row in table.to_pylist() if row["split"] in splits}

    rows = ferry_rows(60, train=40, cells=cells)
    for fold, outer in enumerate(trial_tables(rows, 3)):
        scored, known = groups(outer, "test"), groups(outer, "train", "validation")
        assert scored and not scored & groups(rows, "test")
        tables = _without(rows, 3, fold, inner)
        assert len(tables) == max(inner, 1)
        for table in tables:
            assert groups(table, "train", "validation", "test") == known
            assert groups(table, "train") and groups(table, "validation")
            assert bool(groups(table, "test")) == bool(inner)


def test_a_search_within_folds_has_one_objective(profile):
    both = space(objectives=("loss", "retention"))
    with pytest.raises(ConfigError, match="temper sweep"):
        cross_validate_pipeline(profile, 3, sweep=both)


def test_two_methods_are_tried_for_as_long_and_the_lower_loss_comes_first(profile):
    found = probe_pipeline(["ia3", "full"], 0.02, profile)
    assert [probe.method for probe in found] == ["full", "ia3"]
    assert found[0].loss < found[1].loss


def test_a_short_trial_is_evaluated_all_the_same():
    training = TrainingConfig(batch_size=4, epochs=3, evaluations_per_epoch=2)
    limited = limited_to(training, rows=4_000, steps=40)
    assert limited.max_steps == 40
    assert 1_000 // limited.evaluations_per_epoch <= 10
    assert limited_to(training, rows=40, steps=30) == training


def test_a_run_that_does_not_fit_is_refused_in_the_pipeline(profile, monkeypatch):
    """`temper run` and `temper evaluate` train in `fine_tune`."""
    from flows.build_dataset import build_dataset
    from flows.run import pipeline_run

    config = load_config(profile, settings=["training.learning_rate=0.00321"])
    with pipeline_run(config, "pipeline") as context:
        dataset = build_dataset(config, context)
        monkeypatch.setattr("flows.memory.free_memory", lambda: 1_000)
        with pytest.raises(TrainingError, match="GB on the device"):
            fine_tune(config, dataset, context)
    models = context.home / "models" / "tuned"
    trained = [json.loads(f.read_text())["config"] for f in models.glob("*/manifest.json")]
    assert 0.00321 not in [options["learning_rate"] for options in trained]


def test_what_no_row_would_fit_is_refused_before_rows_are_made(tiny_profile, home, monkeypatch):
    monkeypatch.setattr("flows.memory.whole_memory", lambda: 1_000)
    with pytest.raises(TrainingError, match="GB on the device"):
        fine_tuning_pipeline(str(tiny_profile))
    assert not (home / "datasets").exists()


def test_both_can_be_started_from_the_form(prefect_server):
    names = {f"{made.flow_name}/{made.name}" for made in deployments()}
    assert {"sweep/by-hand", "cross-validate/by-hand"} <= names


def test_trials_without_a_space_to_search_are_refused():
    result = CliRunner().invoke(app, ["cross-validate", "demo", "--trials", "3"])
    assert isinstance(result.exception, ConfigError) and "--space" in str(result.exception)
