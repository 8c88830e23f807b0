"""Files that take too much time or memory, or kill the process that parses them."""

import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import psutil
import pytest

from data_contracts.errors import DocumentsError
from tasks.ingestion.config import IngestionConfig
from tasks.ingestion.ingest import ingest_documents
from tasks.ingestion.isolation import ParserPool
from tasks.ingestion.worker import Job
from tests.unit.ingestion.test_containers import WORDS, zip_bytes

# Takes some seconds to clean.
SLOW = b"".join(b"Line %d has *some* words, and more words.\n\n" % n for n in range(60_000))


def run(jobs: list[tuple[str, Any]], **options: Any) -> dict[str, list[str]]:
    pool = ParserPool(IngestionConfig(**options))
    made = [Job(n, "key", path, content) for n, (path, content) in enumerate(jobs)]
    return {
        job.path: [f"{row['path']}: {row.get('reason', 'kept')}" for row in rows]
        for job, rows in pool.run(made)
    }


def children() -> list[psutil.Process]:
    """The processes that parse; other tests may have left others, such as Prefect's server."""
    return [
        process
        for process in psutil.Process().children()
        if "tasks.ingestion.worker" in process.cmdline()
    ]


def test_a_slow_file_ends_and_the_others_are_parsed() -> None:
    jobs = [("slow.md", SLOW), *((f"{n}.md", WORDS) for n in range(5))]
    found = run(jobs, workers=1, seconds_per_file=0.5)
    assert found.pop("slow.md") == ["slow.md: timeout"]
    assert found == {f"{n}.md": [f"{n}.md: kept"] for n in range(5)}
    assert children() == []


def test_one_slow_member_does_not_take_its_archive_with_it() -> None:
    content = zip_bytes({"a.md": WORDS, "slow.md": SLOW, "b.md": WORDS}, 0)
    found = run([("p.zip", content)], workers=1, seconds_per_file=0.5)
    assert found["p.zip"] == ["p.zip/a.md: kept", "p.zip/slow.md: timeout", "p.zip/b.md: kept"]


def test_an_archive_of_slow_members_is_given_up() -> None:
    members = {f"{n}.md": b"%d " % n + SLOW for n in range(6)}
    found = run([("p.zip", zip_bytes(members, 0))], workers=1, seconds_per_file=0.3)
    assert found["p.zip"][-1] == "p.zip/...: timeout"
    assert 3 <= len(found["p.zip"]) < 6


def test_a_file_that_needs_much_memory() -> None:
    jobs = [("large.md", SLOW * 3), ("a.md", WORDS)]
    found = run(jobs, workers=1, memory_per_file_bytes=100_000_000, seconds_per_file=600)
    assert found == {"large.md": ["large.md: out_of_memory"], "a.md": ["a.md: kept"]}


def test_a_file_that_kills_its_process(capfd) -> None:
    # no bytes at all: fails outside of every parser
    found = run([("a.md", None), ("b.md", WORDS)], workers=1)
    assert found == {"a.md": ["a.md: crashed"], "b.md": ["b.md: kept"]}
    assert "AttributeError" in capfd.readouterr().err


_REACH = """
import os, socket, sys
from tasks.ingestion.no_network import leave_network
if os.getuid() == 0 and sys.argv[2] == "person":
    os.setuid(65534)
if not leave_network():
    sys.exit(2)
print(os.getuid(), sys.platform, flush=True)
socket.socket().connect(("127.0.0.1", int(sys.argv[1])))
"""


@pytest.mark.parametrize("who", ["root", "person"])
def test_a_process_without_network_reaches_nobody(who: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-c", _REACH, port, who], capture_output=True, text=True, check=False
        )
    if done.returncode == 2:
        pytest.skip("the kernel allows no network of one's own here")
    assert done.stdout
    assert "unreachable" in done.stderr


def test_files_are_parsed_by_a_process_without_network() -> None:
    pool = ParserPool(IngestionConfig(workers=1))
    finished = pool.run([Job(0, "key", "a.md", WORDS), Job(1, "key", "b.md", WORDS)])
    next(finished)
    (process,) = children()
    ours, theirs = (Path(f"/proc/{of}/ns/net").readlink() for of in ("self", process.pid))
    assert [row["path"] for _, rows in finished for row in rows] == ["b.md"]
    if subprocess.run(["unshare", "-rn", "true"], check=False).returncode:
        pytest.skip("the kernel allows no network of one's own here")
    assert theirs != ours


def test_a_process_killed_from_outside_is_replaced() -> None:
    pool = ParserPool(IngestionConfig(workers=1))
    jobs = [("a.md", WORDS), ("slow.md", SLOW), ("b.md", WORDS)]
    finished = pool.run(Job(n, "key", *job) for n, job in enumerate(jobs))
    next(finished)
    (process,) = children()
    killer = threading.Timer(0.5, os.kill, (process.pid, signal.SIGSEGV))
    killer.start()
    found = {job.path: [row.get("reason") for row in rows] for job, rows in finished}
    assert found == {"slow.md": ["crashed"], "b.md": [None]}


def test_a_process_that_cannot_start_is_no_fault_of_the_files(tmp_path, monkeypatch, capfd) -> None:
    (tmp_path / "psutil.py").write_text("raise SystemExit('no such luck')")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(DocumentsError, match="could not start"):
        run([("a.md", WORDS)], workers=1)
    assert "no such luck" in capfd.readouterr().err
    assert children() == []


def test_who_stops_listening_leaves_no_process_behind() -> None:
    pool = ParserPool(IngestionConfig(workers=2))
    finished = pool.run(Job(n, "key", f"{n}.md", WORDS) for n in range(50))
    next(finished)
    assert len(children()) == 2
    finished.close()  # type: ignore[attr-defined]
    assert children() == []


@pytest.mark.parametrize("workers", [1, 3])
def test_the_result_does_not_depend_on_the_number_of_processes(
    workers: int, tmp_path: Path
) -> None:
    documents = tmp_path / "documents"
    documents.mkdir()
    for n in range(12):
        (documents / f"{n}.md").write_bytes(WORDS * (1 + 100 * (n % 3)) + b" %d" % n)
    (documents / "p.zip").write_bytes(zip_bytes({"a.md": WORDS, "../b.md": WORDS}))
    (documents / "q.bin").write_bytes(b"\0\1\2")
    one = ingest_documents(documents, IngestionConfig(workers=1), tmp_path / "one")
    other = ingest_documents(documents, IngestionConfig(workers=workers), tmp_path / "other")
    assert one.kept.equals(other.kept)
    assert one.dropped.equals(other.dropped)
    assert one.rows_in == 15


def test_a_time_out_is_tried_again(tmp_path: Path) -> None:
    documents = tmp_path / "documents"
    documents.mkdir()
    (documents / "slow.md").write_bytes(SLOW)
    (documents / "a.md").write_bytes(WORDS)
    cache = tmp_path / "cache"
    first = ingest_documents(documents, IngestionConfig(seconds_per_file=0.3), cache)
    assert first.dropped["reason"].to_pylist() == ["timeout"]
    assert len(list(cache.rglob("*.arrow"))) == 1
