"""What is logged to, when several runs start at once."""

import signal
import subprocess
import sys
from pathlib import Path

from tasks.tracking import _log_together, connect
from tests.plain_environment import plain_environment

STARTS_A_RUN = """
import sys
from pathlib import Path
import alembic.command
import mlflow.store.tracking.sqlalchemy_store
from tasks.tracking import start_pipeline_run

home = Path(sys.argv[1])
print("loaded", flush=True)
input()
print(start_pipeline_run(home, f"sqlite:///{home}/mlflow.db", "manuals", "a run", {}).run_id)
"""


def test_runs_that_start_at_once_in_a_new_home_share_one_experiment(tmp_path, repository):
    runs = [start(tmp_path / "home", repository) for _ in range(3)]
    for run in runs:
        assert run.stdout is not None
        assert run.stdout.readline() == "loaded\n"
    for run in runs:
        assert run.stdin is not None
        run.stdin.write("\n")
        run.stdin.flush()
    said = [run.communicate() for run in runs]
    assert [run.returncode for run in runs] == [0, 0, 0], [errors[-500:] for _, errors in said]
    client = connect(f"sqlite:///{tmp_path}/home/mlflow.db").MlflowClient()
    experiment = client.get_experiment_by_name("manuals")
    logged = {run.info.run_id for run in client.search_runs([experiment.experiment_id])}
    assert logged == {run_id.strip() for run_id, _ in said}


IS_KILLED = """
import os, signal, sys
from sqlalchemy import event
from sqlalchemy.engine import Engine
from tasks.tracking import connect


@event.listens_for(Engine, "after_cursor_execute")
def kill(connection, cursor, statement, *_):
    if "CREATE TABLE evaluation_datasets" in statement:
        os.kill(os.getpid(), signal.SIGKILL)


connect(sys.argv[1])
"""


def test_a_run_killed_while_the_tables_are_made_leaves_no_half_of_them(tmp_path, repository):
    address = f"sqlite:///{tmp_path}/mlflow.db"
    for _ in range(2):  # the second finds what the first left
        killed = subprocess.run(
            [sys.executable, "-c", IS_KILLED, address],
            env=plain_environment(PYTHONPATH=str(repository)),
            check=False,
        )
        assert killed.returncode == -signal.SIGKILL
    client = connect(address).MlflowClient()
    assert [experiment.name for experiment in client.search_experiments()] == ["Default"]
    assert not list(tmp_path.glob("*.unfinished*"))


def test_what_is_logged_of_a_dataset_is_one_transaction(tmp_path, monkeypatch):
    mlflow = connect(f"sqlite:///{tmp_path}/mlflow.db")
    client = mlflow.MlflowClient()
    experiment = client.create_experiment("manuals", (tmp_path / "artifacts").as_uri())
    sent = []
    log = mlflow.MlflowClient.log_batch
    monkeypatch.setattr(
        mlflow.MlflowClient, "log_batch", lambda *given, **named: sent.append(log(*given, **named))
    )
    with mlflow.start_run(experiment_id=experiment) as run:
        _log_together(mlflow, {"a.b": "1"}, {"rows_in": 3}, {"temper.fingerprint": "f"})
    data = client.get_run(run.info.run_id).data
    assert data.params == {"a.b": "1"}
    assert data.metrics == {"rows_in": 3.0}
    assert data.tags["temper.fingerprint"] == "f"
    assert len(sent) == 1


def start(home: Path, repository: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", STARTS_A_RUN, str(home)],
        env=plain_environment(PYTHONPATH=str(repository)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
