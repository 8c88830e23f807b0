"""Trials on a tiny model: measured, logged to MLflow, stopped, failed, and killed in the middle."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pytest

from data_contracts.errors import TrainingError
from tasks.evaluation.config import EvaluationConfig
from tasks.evaluation.general import TextItem
from tasks.search.config import SweepConfig
from tasks.search.measure import base_text_loss
from tasks.search.outcome import outcome_of
from tasks.search.study import next_trial, opened_study
from tasks.search.task import Material, run_fold, run_trial
from tasks.splitting.folds import fold_examples
from tasks.tracking import RunContext, start_pipeline_run
from tasks.training.config import TrainingConfig
from tests.ferry_rows import ferry_rows
from tests.tiny_models import tiny_base

TEXTS = (TextItem("a", "general", "The capital of France is Paris, and it lies on a river."),)
RATE = "training.learning_rate"


def examples() -> pa.Table:
    return ferry_rows(30, train=20, cells=lambda n: {"document_id": f"d{n}", "group_id": f"g{n}"})


def sweep_config(**options) -> SweepConfig:
    space = {RATE: {"type": "log", "low": 1e-4, "high": 1e-2}, "training.batch_size": [4, 8]}
    return SweepConfig(space=space, **{"trials": 4, "startup_trials": 2} | options)


def material(base, values, folds=0, texts=(), **options) -> Material:
    told = {path.removeprefix("training."): value for path, value in values.items()}
    table = examples()
    evaluation = EvaluationConfig()
    return Material(
        tables=[fold_examples(table, folds, n) for n in range(folds)] or [table],
        base=base,
        training=TrainingConfig.model_validate({"epochs": 1, "patience": 9} | options | told),
        evaluation=evaluation,
        texts=texts,
        base_text=base_text_loss(base, texts, evaluation) if texts else 0.0,
    )


def run(home: Path, base, config: SweepConfig, database: Path, **options):
    context = start_pipeline_run(home, f"sqlite:///{database}", "t", "sweep", {})
    with opened_study(home, "s", config) as study:
        while (drawn := next_trial(study, config, "lora")) is not None:
            trial, values = drawn

            def prepare(values=values):
                return material(base, values, **options)

            run_trial.fn(study, trial, values, prepare, config, context)
        return outcome_of(study, config), context


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tiny_base(tmp_path_factory.mktemp("base"), "llama")


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    """Return one database of MLflow for all: making its tables takes seconds."""
    return tmp_path_factory.mktemp("mlflow") / "mlflow.db"


@pytest.fixture(scope="module")
def searched(base, database, tmp_path_factory):
    config = sweep_config(objectives=("loss", "retention"))
    return run(tmp_path_factory.mktemp("home"), base, config, database, texts=TEXTS)


def children(context: RunContext):
    import mlflow

    mlflow.set_tracking_uri(context.tracking_uri)
    client = mlflow.MlflowClient()
    experiment = client.get_run(context.run_id).info.experiment_id
    parent = f"tags.`mlflow.parentRunId` = '{context.run_id}'"
    return client.search_runs([experiment], parent, order_by=["attributes.start_time"])


def test_each_trial_is_a_child_run_with_params_metrics_and_state(searched):
    outcome, context = searched
    runs = {child.info.run_id: child for child in children(context)}
    assert len(outcome.trials) == len(runs) == 4
    for trial in outcome.trials:
        child = runs[trial.run_id]
        assert float(child.data.params[RATE]) == trial.values[RATE]
        assert child.data.metrics["loss"] == trial.objectives["loss"]
        assert child.data.metrics["retention"] == trial.objectives["retention"]
        assert child.data.tags["temper.state"] == trial.state == "complete"
    assert set(outcome.front) <= {0, 1, 2, 3}
    assert len({trial.objectives["retention"] for trial in outcome.trials}) > 1
    assert not list((context.home / "sweeps" / "s").glob("*"))  # weights are not kept


def test_a_trial_that_diverges_fails_with_its_reason_and_the_search_goes_on(
    base, database, tmp_path
):
    space = {RATE: [1e-3, 1e30], "training.max_grad_norm": [1.0, 1e30]}
    config = SweepConfig(space=space, trials=3, startup_trials=3, seed=1)
    outcome, context = run(tmp_path, base, config, database)
    failed = [trial for trial in outcome.trials if trial.state == "failed"]
    assert 0 < len(failed) < 3
    assert all("loss is" in trial.reason for trial in failed)
    states = {child.info.run_id: child.info.status for child in children(context)}
    assert all(states[trial.run_id] == "FAILED" for trial in failed)


def test_memory_that_ran_out_is_a_failed_trial(base, database, tmp_path, monkeypatch):
    import torch

    import tasks.search.measure as module

    def exhausted(*_args):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(module, "train_model", exhausted)
    outcome, _ = run(tmp_path, base, sweep_config(trials=2), database)
    assert [trial.reason for trial in outcome.trials] == ["Memory ran out: CUDA out of memory"] * 2


def test_a_trial_that_falls_behind_is_stopped(base, database, tmp_path):
    space = {RATE: [1e-2, 1e-6]}
    config = SweepConfig(space=space, trials=6, startup_trials=2, seed=1)
    outcome, _ = run(tmp_path, base, config, database)
    stopped = [trial for trial in outcome.trials if trial.state == "pruned"]
    assert stopped
    assert all(trial.values[RATE] == 1e-6 for trial in stopped)


def test_folds_are_averaged_and_each_is_trained_apart(base, database, tmp_path):
    outcome, _ = run(tmp_path, base, sweep_config(trials=1, folds=3), database, folds=3)
    (trial,) = outcome.trials
    losses = [trial.figures[f"fold_{fold}.loss"] for fold in range(3)]
    assert trial.objectives["loss"] == pytest.approx(sum(losses) / 3)
    assert len(set(losses)) == 3
    assert trial.figures["loss_deviation"] > 0


def test_a_fold_that_was_measured_is_not_trained_again(base, database, tmp_path, monkeypatch):
    context = start_pipeline_run(tmp_path, f"sqlite:///{database}", "t", "folds", {})
    folds = material(base, {RATE: 1e-3}, folds=3)
    first = run_fold.fn(folds, 1, "name", context)
    assert first.train_rows + first.scored_rows < 30  # the third fold says when to stop

    def refuse(*_args):
        raise TrainingError("trained again")

    monkeypatch.setattr("tasks.search.measure.train_model", refuse)
    assert run_fold.fn(folds, 1, "name", context) == first
    with pytest.raises(TrainingError):
        run_fold.fn(folds, 2, "name", context)


SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, {repository!r})
from tasks.modeling.base_model import resolve_base_model
from tests.unit.search.test_trial import run, sweep_config
home, model, database = map(Path, sys.argv[1:])
base = resolve_base_model(str(model), home)
run(home, base, sweep_config(), database, epochs=3, evaluations_per_epoch=3)
"""


def test_killed_in_a_trial_and_started_again_it_ends_as_an_undisturbed_one(
    base, database, tmp_path, repository
):
    script = SCRIPT.format(repository=str(repository))
    home = tmp_path / "killed"
    process = subprocess.Popen(
        [sys.executable, "-c", script, home, base.folder, database],
        stderr=subprocess.PIPE,
        text=True,
        cwd=repository,
    )
    while not in_trial_two(home):
        assert process.poll() is None, process.communicate()[1][-2000:]
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    options = {"epochs": 3, "evaluations_per_epoch": 3}
    resumed, _ = run(home, base, sweep_config(), database, **options)
    # number 2 was interrupted, the first two were not repeated
    assert [trial.number for trial in resumed.trials] == [0, 1, 3, 4]
    whole, _ = run(tmp_path / "whole", base, sweep_config(), database, **options)
    assert told(resumed) == told(whole)


def told(outcome):
    return [(trial.values, trial.state, trial.objectives) for trial in outcome.trials]


def in_trial_two(home: Path) -> bool:
    """Return whether the third trial has written a checkpoint."""
    import sqlite3

    database = home / "sweeps" / "optuna.db"
    if not database.is_file():
        return False
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        try:
            count = connection.execute("select count(*) from trials").fetchone()[0]
        except sqlite3.OperationalError:  # no table yet
            return False
    return count == 3 and bool(list(home.glob("sweeps/s/*/0/checkpoints/checkpoint-*")))
