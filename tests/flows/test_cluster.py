"""Data stages on a Dask cluster whose workers share nothing with this process but addresses."""

import json
import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from data_contracts.errors import ConfigError
from flows.cli import app
from tasks.crew import Crew
from tests.conftest import REPOSITORY
from tests.stack import free_port, wait_until
from tests.tiny_profile import copy_few

distributed = pytest.importorskip("distributed", reason="the extra 'scale' is not installed")

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore:The specified dataset source:UserWarning"),
    pytest.mark.timeout(1200),
]


class Cluster:
    """A scheduler and workers, each a process with an address, a folder and a home of its own."""

    def __init__(self, folder):
        self.folder, self.address = folder, f"tcp://127.0.0.1:{free_port()}"
        self.processes = {}
        port = self.address.rpartition(":")[2]
        self.start("scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard")

    def start_worker(self, host, **environment):
        limits = ("--nthreads", "1", "--memory-limit", "0", "--no-nanny", "--no-dashboard")
        self.start("worker", self.address, "--host", host, *limits, name=host, **environment)

    def start(self, *words, name="scheduler", **environment):
        place = self.folder / name
        place.mkdir()
        own = {"TEMPER_HOME": str(place / "home"), "PYTHONPATH": str(REPOSITORY)}
        with (place / "log").open("wb") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", "distributed.cli.dask_" + words[0], *words[1:]],
                cwd=place,
                env=os.environ | own | environment,
                stdout=log,
                stderr=log,
            )

    def wait_for(self, number):
        def all_there():
            for name, process in self.processes.items():
                assert process.poll() is None, (self.folder / name / "log").read_text()[-2000:]
            return len(client.scheduler_info(n_workers=-1)["workers"]) == number

        with distributed.Client(self.address, timeout=120, set_as_default=False) as client:
            wait_until(all_there, 120)

    def kill(self, name):
        self.processes[name].kill()
        self.processes.pop(name).wait()


@pytest.fixture
def cluster(tmp_path):
    running = Cluster(tmp_path)
    yield running
    for name in list(running.processes):
        running.kill(name)


@pytest.fixture
def build(tiny_profile, tmp_path, monkeypatch):
    """Build the dataset in a home of that name; return the hash of each stage's content."""
    documents = copy_few(tmp_path / "documents")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setattr("tasks.ingestion.chunk.TOGETHER", 3)
    monkeypatch.setattr("tasks.ingestion.cluster.MOST_FILES", 3)
    monkeypatch.setattr("tasks.generation.rounds.TOGETHER", 3)

    def run(home, **environment):
        monkeypatch.setenv("TEMPER_HOME", str(tmp_path / home))
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        words = ["dataset", "build", str(tiny_profile), "--documents", str(documents), "--json"]
        result = CliRunner().invoke(app, words)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == 0, result.output
        return {
            each["stage"]: each["content_sha256"] for each in json.loads(result.stdout)["stages"]
        }

    return run


def refuse(*_, **__):
    raise AssertionError("this process does work that is the cluster's")


def test_workers_that_share_nothing_make_the_same_datasets_though_one_is_killed(
    cluster, build, monkeypatch
):
    alone = build("alone")
    for host in ("127.0.0.2", "127.0.0.3"):
        cluster.start_worker(host)
    cluster.wait_for(2)
    monkeypatch.setattr("tasks.ingestion.parse.ParserPool", refuse)
    monkeypatch.setattr("tasks.ingestion.chunk._chunk_rows", refuse)
    monkeypatch.setattr("tasks.generation.document_rows.DocumentRows.make", refuse)
    asked = Crew.results
    stages = []

    def results(crew, function, calls):
        stages.append(function.__name__)
        for number, found in enumerate(asked(crew, function, calls)):
            if function.__name__ == "rows_by_rules" and number == 0:
                cluster.kill("127.0.0.2")
            yield found

    monkeypatch.setattr(Crew, "results", results)
    assert build("there", TEMPER_DASK=cluster.address) == alone
    assert stages == ["parse_batch", "cut_documents", "rows_by_rules"]


def test_a_worker_that_would_read_otherwise_is_refused(cluster, build):
    cluster.start_worker("127.0.0.2", TEMPER_SCRUBBING_KEY="of somebody else")
    cluster.wait_for(1)
    with pytest.raises(ConfigError, match="TEMPER_SCRUBBING_KEY"):
        build("there", TEMPER_DASK=cluster.address)


def test_processes_of_this_machine_make_the_same(build, monkeypatch):
    alone = build("alone")
    monkeypatch.setattr("tasks.ingestion.chunk._chunk_rows", refuse)
    monkeypatch.setattr("tasks.generation.document_rows.DocumentRows.make", refuse)
    assert build("there", TEMPER_PROCESSES="2") == alone
