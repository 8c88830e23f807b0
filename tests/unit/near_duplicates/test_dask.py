"""The search on a Dask cluster: two worker processes of their own on this machine."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from data_contracts.errors import ConfigError, DatasetError
from tasks import crew
from tasks.crew import dask_crew
from tasks.near_duplicates import link, parts, sketch
from tasks.near_duplicates.config import NearDuplicatesConfig
from tasks.near_duplicates.find import find_near_duplicates
from tasks.near_duplicates.reading import document_files
from tests.unit.near_duplicates.test_find import CONFIG, corpus, dropped, write

distributed = pytest.importorskip("distributed", reason="the extra 'scale' is not installed")


@pytest.fixture(scope="module")
def cluster() -> Iterator[distributed.LocalCluster]:
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0"
    ) as started:
        yield started


def process_of_worker(*_: object) -> None:
    """Fail with the number of the process it runs in."""
    import os

    raise DatasetError(str(os.getpid()))


def test_two_workers_that_share_a_folder_find_the_same(
    tmp_path: Path, cluster: distributed.LocalCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "PART_BYTES", 3000)
    rows = corpus(7, 60)
    expected = dropped(tmp_path / "here", [rows], CONFIG)
    config = CONFIG.model_copy(update={"dask": cluster.scheduler_address})
    assert len(expected) > 20
    monkeypatch.setattr(link, "_store", None)  # whoever stores links, it is not this process
    monkeypatch.setattr(sketch, "_move", None)  # nor does it store chunks
    assert dropped(tmp_path / "there", [rows[20:], rows[:20]], config) == expected
    work = tmp_path / "there" / "work"
    assert len(list(work.rglob("sketched-*"))) > 5
    assert len(list(work.rglob("links-*.npy"))) == 8


def test_what_the_workers_finished_is_not_done_again(
    tmp_path: Path, cluster: distributed.LocalCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "PART_BYTES", 3000)
    files = document_files([write(tmp_path / "rows.parquet", corpus(3, 30))])
    config = CONFIG.model_copy(update={"dask": cluster.scheduler_address})
    found = find_near_duplicates(files, tmp_path / "work", config)
    first = pq.read_table(found.path)
    Path(found.path).unlink()
    missing = min((tmp_path / "work").rglob("links-*.npy"))
    missing.unlink()
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "work").rglob("links-*.npy")}
    again = find_near_duplicates(files, tmp_path / "work", config)
    assert pq.read_table(again.path) == first
    assert missing.is_file()
    assert all(path.stat().st_mtime_ns == then for path, then in before.items())


def test_errors_come_back_from_the_workers(cluster: distributed.LocalCluster) -> None:
    with dask_crew(cluster.scheduler_address) as workers:
        assert workers.size == 2
        with pytest.raises(DatasetError) as caught:
            workers.run(process_of_worker, [(1,)])
    pids = {worker.pid for worker in cluster.workers.values()}
    assert int(str(caught.value)) in pids


def test_a_missing_file_on_a_worker_is_named(
    tmp_path: Path, cluster: distributed.LocalCluster
) -> None:
    config = NearDuplicatesConfig(text_column="body", dask=cluster.scheduler_address)
    files = document_files([write(tmp_path / "rows.parquet", corpus(1))])
    with pytest.raises(DatasetError, match=r"rows\.parquet.*body"):
        find_near_duplicates(files, tmp_path / "work", config)


def test_a_scheduler_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew, "TIMEOUT", 0.5)
    with pytest.raises(ConfigError, match="tcp://127.0.0.1:9"), dask_crew("tcp://127.0.0.1:9"):
        pass
