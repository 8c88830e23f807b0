"""What is logged to, when several runs start at once."""

import subprocess
import sys
from pathlib import Path

from tasks.tracking import connect
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


def start(home: Path, repository: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", STARTS_A_RUN, str(home)],
        env=plain_environment(PYTHONPATH=str(repository)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
