"""Processes that share work: the order of results, the end of a process, workers that differ."""

import os
import signal
import time

import pytest

from data_contracts.errors import ConfigError, EngineError
from tasks import crew
from tasks.crew import AHEAD, cluster_crew, crew_of_settings, dask_crew, local_crew
from tasks.libraries import library_versions


def double(number: int) -> int:
    return 2 * number


def die(number: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_results_come_in_order_and_calls_are_made_only_as_they_are_needed() -> None:
    taken = []

    def calls():
        for number in range(40):
            taken.append(number)
            yield (number,)

    with local_crew(2) as workers:
        results = workers.results(double, calls())
        assert next(results) == 0
        assert len(taken) == AHEAD * 2
        assert list(results) == [2 * number for number in range(1, 40)]


def test_a_process_that_dies_is_said() -> None:
    with pytest.raises(EngineError, match="One of 2 processes"), local_crew(2) as workers:
        list(workers.results(die, [(1,)]))


def test_what_is_shared_is_a_path_here_and_a_content_elsewhere() -> None:
    with local_crew(1) as workers:
        assert workers.share("path", lambda: "content") == "path"
    sent = workers._replace(send=lambda value: f"sent {value}")
    assert sent.share("path", lambda: "content") == "sent content"


def test_the_environment_names_the_crew(monkeypatch: pytest.MonkeyPatch) -> None:
    assert crew_of_settings() is None
    monkeypatch.setenv("TEMPER_PROCESSES", "3")
    opened = crew_of_settings()
    assert opened is not None and cluster_crew() is None
    monkeypatch.setenv("TEMPER_DASK", "tcp://127.0.0.1:9")
    monkeypatch.setattr(crew, "TIMEOUT", 0.5)
    named = crew_of_settings()
    assert named is not None
    with pytest.raises(ConfigError, match="tcp://127.0.0.1:9"), named():
        pass


def test_a_worker_with_another_library_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    distributed = pytest.importorskip("distributed", reason="the extra 'scale' is not installed")
    told = dict(library_versions()) | {"pyarrow": "0.1"}
    monkeypatch.setattr("tasks.libraries.library_versions", lambda: told)
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0"
        ) as cluster,
        pytest.raises(ConfigError, match=r"pyarrow .*, here 0\.1"),
        dask_crew(cluster.scheduler_address),
    ):
        pass


def test_a_scheduler_that_goes_away_is_said() -> None:
    distributed = pytest.importorskip("distributed", reason="the extra 'scale' is not installed")
    cluster = distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0"
    )

    def work() -> None:
        with dask_crew(cluster.scheduler_address) as workers:
            results = workers.results(time.sleep, [(seconds,) for seconds in (0, 60, 60)])
            assert next(results) is None
            cluster.close()
            next(results)

    with cluster, pytest.raises(EngineError, match=r"lost work.*what is finished is kept"):
        work()
