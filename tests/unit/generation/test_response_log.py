"""The log of replies: nothing is lost, nothing torn is believed."""

from pathlib import Path

import pytest

from data_contracts.errors import StorageError
from tasks.generation.response_log import Completion, ResponseLog


def reply(text: str) -> Completion:
    return Completion(
        text=text, finish_reason="stop", prompt_tokens=3, completion_tokens=2, seconds=0.5
    )


def test_replies_are_found_again_by_another_process(tmp_path: Path) -> None:
    path = tmp_path / "sub" / "log.jsonl"
    ResponseLog(path).append("a", reply("ä\n{"))
    assert ResponseLog(path).get("a") == reply("ä\n{")
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
    assert log.get("a") is None
