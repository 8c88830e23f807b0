"""Prefect's temporary server: it starts beside the run, and ends when all is told."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import urllib.request

import pytest

from flows.services import ServiceError
from flows.temporary_server import TemporaryServer
from tests.plain_environment import plain_environment

RUNS_A_FLOW = """
import gc, json, sys
from flows.commands.output import prefect_session
from flows.environment import log_to_prefect, prepare_environment
from tasks.settings import Settings

prepare_environment(Settings())
with prefect_session(Settings()):
    import logging
    from prefect import flow, task
    from prefect.settings import PREFECT_API_URL, PREFECT_FLOWS_HEARTBEAT_FREQUENCY

    loaded = sorted({"mlflow", "great_expectations"} & sys.modules.keys())

    @task
    def say():
        logging.getLogger("tasks").info("it was said")

    @flow
    def little():
        log_to_prefect()
        say()

    little()
    told = {
        "url": PREFECT_API_URL.value(),
        "server loaded": "prefect.server.api.server" in sys.modules,
        "loaded first": loaded,
        "heartbeats": PREFECT_FLOWS_HEARTBEAT_FREQUENCY.value(),
        "kept from the search for garbage": gc.get_freeze_count(),
    }
    print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def ran(tmp_path_factory, repository):
    home = tmp_path_factory.mktemp("home")
    done = subprocess.run(
        [sys.executable, "-c", RUNS_A_FLOW],
        env=plain_environment(TEMPER_HOME=str(home), PYTHONPATH=str(repository)),
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
    )
    return home, json.loads(done.stdout)


def test_the_run_loads_nothing_of_the_server_that_it_starts(ran):
    assert ran[1]["server loaded"] is False


def test_what_a_run_uses_is_loaded_while_the_server_starts(ran):
    assert ran[1]["loaded first"] == ["great_expectations", "mlflow"]
    assert ran[1]["kept from the search for garbage"] > 100_000


def test_no_flow_waits_for_the_thread_of_its_heartbeats(ran):
    assert ran[1]["heartbeats"] is None
    with sqlite3.connect(ran[0] / "prefect" / "prefect.db") as database:
        events = {name for (name,) in database.execute("select event from events")}
    assert "prefect.flow-run.Completed" in events
    assert "prefect.flow-run.heartbeat" not in events


def test_what_a_run_told_last_is_kept(ran):
    with sqlite3.connect(ran[0] / "prefect" / "prefect.db") as database:
        runs = database.execute("select name, state_type from flow_run").fetchall()
        tasks = database.execute("select state_type from task_run").fetchall()
        said = database.execute("select message from log").fetchall()
    assert [state for _, state in runs] == ["COMPLETED"]
    assert tasks == [("COMPLETED",)]
    assert ("it was said",) in said


def test_the_server_is_gone_with_its_run(ran):
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"{ran[1]['url']}/health", timeout=5)


IS_INTERRUPTED = """
import signal, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
from flows.commands.output import prefect_session
from flows.environment import prepare_environment
from tasks.settings import Settings

prepare_environment(Settings())
with prefect_session(Settings()):
    from prefect import flow

    @flow
    def long():
        print("begun", flush=True)
        time.sleep(600)

    long()
"""


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, -signal.SIGINT), (signal.SIGTERM, 143)]
)
def test_a_run_that_is_interrupted_tells_so_and_ends(tmp_path, repository, number, code):
    run = subprocess.Popen(
        [sys.executable, "-c", IS_INTERRUPTED],
        env=plain_environment(TEMPER_HOME=str(tmp_path), PYTHONPATH=str(repository)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    )
    try:
        assert run.stdout.readline() == "begun\n"
        os.killpg(run.pid, number)  # as Ctrl-C does: to all of the group
        _, said = run.communicate(timeout=60)  # with its server gone, Prefect asks it for minutes
    finally:
        run.kill()
        run.communicate()
    assert run.returncode == code
    assert "the same command goes on from there" in said
    with sqlite3.connect(tmp_path / "prefect" / "prefect.db") as database:
        states = database.execute("select state_type from flow_run").fetchall()
    assert states == [("CRASHED",)]


def test_servers_that_start_at_once_make_their_database_one_after_the_other(tmp_path, monkeypatch):
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path))
    servers = [TemporaryServer() for _ in range(3)]
    try:
        for server in servers:
            with urllib.request.urlopen(f"{server.api_url}/health", timeout=300) as answer:
                assert answer.status == 200
    finally:
        for server in servers:
            server.stop()


@pytest.fixture
def ends_at_once(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    server = TemporaryServer()
    server._process.wait()
    yield server
    server.stop()


def test_a_server_that_ended_is_named_when_the_run_fails(ends_at_once):
    with pytest.raises(ServiceError, match="ended with exit code 1"), ends_at_once.watched():
        raise RuntimeError("Failed to reach API")


def test_an_error_of_the_run_itself_stays_as_it_is(ends_at_once):
    with pytest.raises(ServiceError, match="of the run"), ends_at_once.watched():
        raise ServiceError("an error of the run")
