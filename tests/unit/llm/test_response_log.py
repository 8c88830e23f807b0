"""The log of replies: nothing is lost, nothing torn is believed, several may write."""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from data_contracts.errors import StorageError
from tasks.llm import response_log
from tasks.llm.response_log import ResponseLog
from tests.unit.llm.conftest import reply


def test_replies_are_found_again_by_another_process(tmp_path: Path) -> None:
    path = tmp_path / "sub" / "log.jsonl"
    ResponseLog(path).append("a", reply("ä\n{\u2028"))
    assert ResponseLog(path).get("a") == reply("ä\n{\u2028")
    assert ResponseLog(path).get("b") is None


def test_a_torn_last_line_is_forgotten_and_does_not_spoil_the_next(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    first = ResponseLog(path)
    first.append("a", reply("1"))
    first.append("b", reply("2"))
    content = path.read_bytes()
    path.write_bytes(content[:-20])  # as SIGKILL or a full disk leaves it
    torn = ResponseLog(path)
    assert torn.get("a") == reply("1")
    assert torn.get("b") is None
    torn.append("c", reply("3"))
    again = ResponseLog(path)
    assert (again.get("a"), again.get("c")) == (reply("1"), reply("3"))
    assert len(again) == 2


def test_a_log_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    log = ResponseLog(tmp_path / "log.jsonl")
    log.path = tmp_path / "file" / "log.jsonl"
    with pytest.raises(StorageError, match="Free disk space"):
        log.append("a", reply("1"))
    log.path = tmp_path / "log.jsonl"
    assert log.get("a") is None


def test_what_another_appends_is_seen(tmp_path: Path) -> None:
    mine, other = ResponseLog(tmp_path / "log.jsonl"), ResponseLog(tmp_path / "log.jsonl")
    other.append("a", reply("1"))
    mine.append("b", reply("2"))
    mine.refresh()
    assert (mine.get("a"), mine.get("b"), len(mine)) == (reply("1"), reply("2"), 2)


def test_several_processes_append_without_losing_a_line(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    script = (
        "import sys; from pathlib import Path\n"
        "from tasks.llm.response_log import ResponseLog, Completion\n"
        "log = ResponseLog(Path(sys.argv[1]))\n"
        "for n in range(40):\n"
        "    log.append(f'{sys.argv[2]}-{n}', Completion(text=sys.argv[2] * 3000,\n"
        "        finish_reason='stop', prompt_tokens=1, completion_tokens=1, seconds=1))\n"
    )
    command = [sys.executable, "-c", script, str(path)]
    running = [subprocess.Popen([*command, name]) for name in "xyz"]
    assert [process.wait() for process in running] == [0, 0, 0]
    log = ResponseLog(path)
    assert len(log) == 120
    found = log.get("y-39")
    assert found is not None
    assert found.text == "y" * 3000


def test_what_one_process_asks_the_others_wait_for(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    script = (
        "import sys, time; from pathlib import Path\n"
        "from tasks.llm.response_log import ResponseLog, Completion\n"
        "log = ResponseLog(Path(sys.argv[1]))\n"
        "with log.claim('a'):\n"
        "    print('claimed', flush=True); sys.stdin.readline()\n"
        "    log.append('a', Completion(text='theirs', finish_reason='stop',\n"
        "        prompt_tokens=1, completion_tokens=1, seconds=1))\n"
    )
    command = [sys.executable, "-c", script, str(path)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        assert other.stdout.readline() == "claimed\n"
        log = ResponseLog(path)
        with log.claim("b"):  # another key: no waiting for the other process
            assert log.get("a") is None
        other.stdin.write("\n")
        other.stdin.flush()
        with log.claim("a"):
            found = log.get("a")
    assert found is not None
    assert found.text == "theirs"


def test_a_claim_ends_with_its_process(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    script = (
        "import os, sys; from pathlib import Path\n"
        "from tasks.llm.response_log import ResponseLog\n"
        "with ResponseLog(Path(sys.argv[1])).claim('a'):\n"
        "    os._exit(1)\n"
    )
    subprocess.run([sys.executable, "-c", script, str(path)], check=False)
    with ResponseLog(path).claim("a"):
        pass


def test_two_threads_do_not_hold_one_claim(tmp_path: Path) -> None:
    log = ResponseLog(tmp_path / "log.jsonl")
    inside: list[int] = []

    def work() -> None:
        with log.claim("a"):
            inside.append(1)
            assert len(inside) == 1
            time.sleep(0.01)
            inside.pop()

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert inside == []


@pytest.fixture
def indexed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A log of 50 replies with an index."""
    monkeypatch.setattr("tasks.llm.response_log.INDEX_AFTER_BYTES", 2000)
    path = tmp_path / "log.jsonl"
    log = ResponseLog(path)
    for number in range(50):
        log.append(f"key{number}", reply(str(number)))
    return path


def test_an_indexed_log_opens_without_being_read(
    indexed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    scan = ResponseLog._scan
    monkeypatch.setattr(ResponseLog, "_scan", lambda self, c: (read.append(len(c)), scan(self, c)))
    log = ResponseLog(indexed)
    assert sum(read) < indexed.stat().st_size / 2
    assert [log.get(f"key{n}") for n in range(50)] == [reply(str(n)) for n in range(50)]
    assert len(log) == 50


def test_an_index_is_only_a_cache(indexed: Path) -> None:
    index = indexed.with_name("log.jsonl.index")
    for content in ("", "[]", "{}", '{"read": 10, "places": {"key1": 3}}'):
        index.write_text(content)
        assert len(ResponseLog(indexed)) == 50


def test_the_index_of_another_file_is_not_believed(indexed: Path) -> None:
    lines = indexed.read_bytes().splitlines(keepends=True)
    indexed.write_bytes(b"".join(reversed(lines)))
    index = indexed.with_name("log.jsonl.index")
    stale = index.read_bytes()
    for number in range(50):  # those in the index, and those that came after it
        index.write_bytes(stale)
        assert ResponseLog(indexed).get(f"key{number}") == reply(str(number))
    indexed.write_bytes(lines[3])
    log = ResponseLog(indexed)
    assert (log.get("key3"), log.get("key7"), len(log)) == (reply("3"), None, 1)


def test_a_file_that_changes_under_an_open_log_is_read_anew(indexed: Path) -> None:
    log = ResponseLog(indexed)
    lines = indexed.read_bytes().splitlines(keepends=True)
    indexed.write_bytes(b"".join([*lines[1:], lines[0]]))
    assert log.get("key20") == reply("20")


def test_a_long_log_is_not_parsed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "log.jsonl"
    rest = json.dumps(reply("x" * 300).model_dump())[1:]
    with path.open("w") as stream:
        stream.writelines(f'{{"key": "{number:064d}", {rest}\n' for number in range(100_000))
    ResponseLog(path)  # writes the index
    parsed: list[bytes] = []
    entry = response_log._entry
    monkeypatch.setattr(response_log, "_entry", lambda line: (parsed.append(line), entry(line))[1])
    log = ResponseLog(path)
    assert len(parsed) == 1  # the newest, which shows that the index is of this log
    assert (len(log), log.get(f"{99_999:064d}") is not None) == (100_000, True)
    os.truncate(path, 0)
    log.refresh()
    assert len(log) == 0
