"""Asking through the Batch API: no reply lost, none paid for twice."""

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from data_contracts.errors import EndpointError
from tasks.llm import batch as batch_module
from tasks.llm.client import ChatClient
from tasks.llm.config import LLMConfig
from tasks.llm.logged import LoggedModel
from tasks.llm.response_log import ResponseLog
from tasks.llm.structured import Reply, ask_all, converse
from tests.unit.llm.batch_endpoint import BatchEndpoint
from tests.unit.llm.conftest import Answer

GOOD = json.dumps({"question": "What is it?", "answer": "A boat."})


@pytest.fixture
def server() -> Iterator[BatchEndpoint]:
    endpoint = BatchEndpoint()
    endpoint.text = GOOD
    yield endpoint
    endpoint.close()


def talks(
    server: BatchEndpoint, folder: Path, count: int = 5, **options: object
) -> tuple[LoggedModel, dict[int, Reply[str]]]:
    settings = {"model": "m", "max_retries": 2, "batch": True, "batch_poll_seconds": 0.01}
    config = LLMConfig.model_validate({"base_url": server.base_url, **settings, **options})
    client = ChatClient(server.base_url, config, None)
    model = LoggedModel(client, ResponseLog(folder / "responses.jsonl"), config)
    replies: dict[int, Reply[str]] = {}

    def conversation(number: int) -> Callable[[], None]:
        messages = [{"role": "user", "content": f"Question {number}"}]

        def talk() -> None:
            replies[number] = converse(messages, Answer, lambda a: str(a), model, 1)

        return talk

    def silent(items: Iterable[object], total: int) -> Iterable[object]:
        return items

    ask_all([conversation(n) for n in range(count)], 2, silent, model)
    return model, replies


def asked(server: BatchEndpoint) -> list[int]:
    """Return how many requests each batch held."""
    return [len(server.files[b["input_file_id"]].splitlines()) for b in server.batches.values()]


def test_all_but_the_first_of_a_form_go_in_one_batch(server: BatchEndpoint, tmp_path: Path) -> None:
    model, replies = talks(server, tmp_path)
    assert all(reply.value for reply in replies.values())
    assert (len(server.single), asked(server)) == (1, [4])
    line = json.loads(server.files["file-0"].splitlines()[0])
    assert line["body"]["response_format"]["type"] == "json_schema"
    figures = model.usage.figures()
    assert (figures["llm_calls"], figures["llm_cached"]) == (5, 0)
    assert figures["prompt_tokens"] == 50
    model, _ = talks(server, tmp_path)
    assert (len(server.single), asked(server)) == (1, [4])
    assert model.usage.figures()["llm_cached"] == 5
    assert list((tmp_path / "batches").iterdir()) == []


def test_unusable_replies_are_sent_back_in_a_second_batch(
    server: BatchEndpoint, tmp_path: Path
) -> None:
    server.text = "no JSON"
    model, replies = talks(server, tmp_path)
    assert asked(server) == [4, 4]
    assert len(server.single) == 2  # the first conversation learns the way of each step
    assert all("no JSON object" in reply.failure for reply in replies.values())
    assert model.usage.figures()["llm_quarantined"] == 5


def test_what_fails_in_a_batch_is_asked_singly(server: BatchEndpoint, tmp_path: Path) -> None:
    server.fails = {"Question 3"}
    _, replies = talks(server, tmp_path)
    assert all(reply.value for reply in replies.values())
    assert "Question 3" in str(server.single[-1]["messages"])
    assert (len(server.single), asked(server)) == (2, [4])


@pytest.mark.parametrize("final", ["expired", "failed"])
def test_a_batch_that_ends_early_gives_what_it_has(
    server: BatchEndpoint, tmp_path: Path, final: str
) -> None:
    server.final, server.fails = final, {"Question 3", "Question 4"}
    _, replies = talks(server, tmp_path)
    assert all(reply.value for reply in replies.values())
    assert len(server.single) == 3


def test_a_killed_run_waits_for_the_same_batch(server: BatchEndpoint, tmp_path: Path) -> None:
    server.looks = 10_000
    with pytest.raises(EndpointError, match="still in_progress.*Run again later"):
        talks(server, tmp_path, batch_wait_hours=0.00001)
    server.looks = 2
    model, replies = talks(server, tmp_path)
    assert all(reply.value for reply in replies.values())
    assert (len(server.single), asked(server)) == (1, [4])
    assert model.usage.figures()["llm_cached"] == 5


def test_a_batch_whose_making_was_not_answered_is_found_again(
    server: BatchEndpoint, tmp_path: Path
) -> None:
    server.cut_after_create = 1
    talks(server, tmp_path)
    assert asked(server) == [4]
    server.cut_after_create = 1
    with pytest.raises(EndpointError):
        talks(server, tmp_path, count=9, max_retries=0)
    talks(server, tmp_path, count=9)
    assert asked(server) == [4, 3]


def test_a_server_without_batches_is_asked_singly(server: BatchEndpoint, tmp_path: Path) -> None:
    server.has_batches = False
    _, replies = talks(server, tmp_path)
    assert all(reply.value for reply in replies.values())
    assert len(server.single) == 5


def test_large_batches_are_parted(
    server: BatchEndpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_module, "MOST_REQUESTS", 2)
    talks(server, tmp_path, count=6)
    assert asked(server) == [2, 2, 1]
    monkeypatch.setattr(batch_module, "MOST_BYTES", 10)
    talks(server, tmp_path, count=9)
    assert asked(server) == [2, 2, 1, 1, 1]


def test_no_more_is_submitted_than_the_budget_allows(server: BatchEndpoint, tmp_path: Path) -> None:
    model, replies = talks(
        server, tmp_path, count=10, max_tokens=16, max_tokens_total=80, on_budget="finish"
    )
    assert asked(server) == [3]
    assert sum(reply.value is not None for reply in replies.values()) >= 4
    assert model.budget.prompt_tokens + model.budget.completion_tokens <= 80
