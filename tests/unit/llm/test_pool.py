"""Several endpoints of one model, each a real HTTP server: shared work, the dead left out."""

import json
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from data_contracts.errors import EndpointError
from tasks.llm import pool as pool_module
from tasks.llm.budget import BudgetExceeded
from tasks.llm.client import Request
from tasks.llm.config import LLMConfig
from tasks.llm.connect import language_model
from tasks.llm.logged import LoggedModel
from tasks.llm.pool import Pool
from tasks.llm.request import CallFailed, NotServed, Unreachable
from tasks.llm.response_log import ResponseLog
from tests.endpoint import Endpoint, Reply, completion
from tests.unit.llm.conftest import Answer

KEY = "sk-abcdefgh12345678"
Pooled = Callable[..., Pool]


@pytest.fixture
def other() -> Iterator[Endpoint]:
    server = Endpoint()
    yield server
    server.close()


@pytest.fixture
def pooled(endpoint: Endpoint, other: Endpoint, tmp_path: Path) -> Iterator[Pooled]:
    """Open the way to both, as a run does; `options` are those of the profile."""
    opened = []

    def make(**options: Any) -> Pool:
        opened.append(language_model(config(endpoint, other, **options), tmp_path, SecretStr(KEY)))
        model = opened[-1].__enter__()
        assert isinstance(model, Pool)
        return model

    yield make
    for way in opened:
        way.__exit__(None, None, None)


def config(*endpoints: Endpoint, **options: Any) -> LLMConfig:
    first, *further = [each.base_url for each in endpoints]
    settings = {"model": "m", "max_retries": 1, "max_tokens": 16, "timeout_seconds": 10}
    return LLMConfig.model_validate(
        {"base_url": first, "further_urls": further, **settings, **options}
    )


def request(number: int = 0) -> Request:
    return Request([{"role": "user", "content": f"Question {number}"}], Answer)


def failing(status: int) -> Callable[[int, dict[str, Any]], Reply]:
    return lambda number, body: (status, {}, json.dumps({"error": {"message": "no"}}))


def held(asked: threading.Event, go_on: threading.Event) -> Callable[[int, dict[str, Any]], Reply]:
    def respond(number: int, body: dict[str, Any]) -> Reply:
        asked.set()
        go_on.wait(timeout=10)
        return completion("{}")

    return respond


def counts(*endpoints: Endpoint) -> list[int]:
    return [len(each.requests) for each in endpoints]


def test_each_has_as_many_requests_under_way_as_one_alone(
    endpoint: Endpoint, other: Endpoint, pooled: Pooled
) -> None:
    all_there = threading.Barrier(6)

    def respond(number: int, body: dict[str, Any]) -> Reply:
        all_there.wait(timeout=10)
        return completion("{}")

    endpoint.respond = other.respond = respond
    pool, limit = pooled(concurrency=3), config(endpoint, other, concurrency=3).at_once
    with ThreadPoolExecutor(limit) as threads:
        list(threads.map(pool, map(request, range(6))))
    assert counts(endpoint, other) == [3, 3]
    assert pool.reached() == limit == 6
    endpoint.respond = other.respond = lambda number, body: completion("{}")
    pool(request(7))
    assert counts(endpoint, other) == [4, 3]  # of equally busy ones the first
    keys = {headers["authorization"] for headers in endpoint.headers + other.headers}
    assert keys == {f"Bearer {KEY}"}


@pytest.mark.parametrize("status", [500, 503, 429])
def test_what_one_does_not_serve_another_does_and_the_first_is_left_out(
    endpoint: Endpoint,
    other: Endpoint,
    pooled: Pooled,
    caplog: pytest.LogCaptureFixture,
    status: int,
) -> None:
    endpoint.respond = failing(status)
    pool = pooled()
    for number in range(4):
        pool(request(number))
    assert counts(endpoint, other) == [2, 4]  # one request and its retry, then no more
    assert caplog.text.count("left out for now") == 1
    assert endpoint.base_url in caplog.text


def test_where_nobody_listens_another_is_asked(
    endpoint: Endpoint, other: Endpoint, pooled: Pooled
) -> None:
    pool = pooled()
    endpoint.close()
    for number in range(3):
        pool(request(number))
    assert counts(other) == [3]


def test_after_a_pause_one_request_tries_the_dead_again(
    endpoint: Endpoint, other: Endpoint, pooled: Pooled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_module, "PAUSE_SECONDS", 0.0)
    go_on, of_first, of_other = threading.Event(), threading.Event(), threading.Event()
    endpoint.respond = failing(500)
    pool = pooled(max_retries=0)
    pool(request(0))
    endpoint.respond, other.respond = held(of_first, go_on), held(of_other, go_on)
    with ThreadPoolExecutor(2) as threads:
        under_way = [threads.submit(pool, request(1))]
        assert of_first.wait(timeout=10)
        under_way.append(threads.submit(pool, request(2)))
        assert of_other.wait(timeout=10)
        other.respond = lambda number, body: completion("{}")
        pool(request(3))  # both have one under way: but for the trial it would be the first's
        assert counts(endpoint, other) == [2, 3]
        go_on.set()
        for each in under_way:
            each.result()


def test_one_that_answers_is_one_of_them_again(
    endpoint: Endpoint, other: Endpoint, pooled: Pooled
) -> None:
    asked, go_on = threading.Event(), threading.Event()
    endpoint.respond = other.respond = failing(500)
    pool = pooled(max_retries=0)
    with pytest.raises(NotServed):
        pool(request(0))
    endpoint.respond = other.respond = lambda number, body: completion("{}")
    pool(request(1))  # both are left out: one of them is asked all the same
    endpoint.respond = held(asked, go_on)
    with ThreadPoolExecutor(1) as threads:
        under_way = threads.submit(pool, request(2))
        assert asked.wait(timeout=10)
        endpoint.respond = lambda number, body: completion("{}")
        pool(request(3))  # the other one has less to do, but has not answered since it failed
        go_on.set()
        under_way.result()
    assert counts(endpoint, other) == [4, 1]


def test_only_when_none_serves_it_a_request_counts_as_failed(
    endpoint: Endpoint, other: Endpoint, pooled: Pooled
) -> None:
    endpoint.respond = other.respond = failing(500)
    pool = pooled()
    for served in (2, 4):  # left out or not, each is tried before a request is given up
        with pytest.raises(NotServed, match="status 500 2 times"):
            pool(request(served))
        assert counts(endpoint, other) == [served, served]
    endpoint.respond = lambda number, body: completion("{}")
    pool(request(9))


def test_where_nobody_listens_at_all_it_is_told_as_of_one_endpoint(
    endpoint: Endpoint, other: Endpoint, pooled: Pooled
) -> None:
    endpoint.close()
    other.close()
    with pytest.raises(Unreachable, match=f"{other.base_url} cannot be reached.*Start the server"):
        pooled()(request())


@pytest.mark.parametrize(("status", "attempts"), [(400, 3), (401, 1), (404, 1)])
def test_what_no_other_endpoint_would_mend_is_told_at_once(
    endpoint: Endpoint, other: Endpoint, pooled: Pooled, status: int, attempts: int
) -> None:
    endpoint.respond = failing(status)
    with pytest.raises(EndpointError, match=f"status {status}") as caught:
        pooled()(request())
    assert isinstance(caught.value, CallFailed) is (status == 400)
    assert counts(endpoint, other) == [attempts, 0]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_request_is_sent_to_a_host_that_is_not_named(
    endpoint: Endpoint, other: Endpoint, tmp_path: Path, status: int
) -> None:
    elsewhere = f"{other.base_url}/chat/completions"
    endpoint.respond = lambda number, body: (status, {"Location": elsewhere}, "")
    with (
        language_model(config(endpoint), tmp_path) as model,
        pytest.raises(EndpointError, match=f"{status}: it has moved to {elsewhere}.*names") as told,
    ):
        model(request())
    assert not isinstance(told.value, CallFailed)  # the same for every request
    assert counts(endpoint, other) == [1, 0]


def test_budget_and_figures_are_those_of_all_endpoints_together(
    endpoint: Endpoint, other: Endpoint, pooled: Pooled, tmp_path: Path
) -> None:
    options = config(endpoint, other, max_tokens_total=100)
    model = LoggedModel(pooled(), ResponseLog(tmp_path / "responses.jsonl"), options)
    other.respond = failing(500)

    def ask(numbers: Iterable[int]) -> None:
        for number in numbers:
            model(request(number))

    ask(range(2))
    endpoint.respond, other.respond = failing(500), lambda number, body: completion("{}")
    with pytest.raises(BudgetExceeded):
        ask(range(9))
    figures = model.usage.figures()
    assert figures["llm_calls"] * 15 == figures["prompt_tokens"] + figures["completion_tokens"]
    assert 100 - 16 - 30 < figures["llm_calls"] * 15 <= 100
    assert figures["llm_failed"] == 0
    assert figures["concurrency_reached"] == 2


def test_a_reply_is_remembered_whoever_gave_it(endpoint: Endpoint, other: Endpoint) -> None:
    ways = [config(endpoint), config(endpoint, other), config(other, endpoint)]
    assert len({request().key(each) for each in ways}) == 1


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"further_urls": [f"http://me:{KEY}@127.0.0.1/v1"]}, "written into manifests"),
        ({"further_urls": [f"http://127.0.0.1/v1?key={KEY}"]}, "written into manifests"),
        ({"further_urls": ["http://a/v1"]}, "names an endpoint twice"),
        ({"further_urls": ["http://b/v1", "http://b/v1"]}, "names an endpoint twice"),
        ({"further_urls": ["embedded"]}, "has one server"),
        ({"further_urls": ["http://b/v1"], "base_url": "embedded"}, "has one server"),
        ({"further_urls": ["http://b/v1"], "batch": True}, "batch asks one endpoint"),
    ],
)
def test_what_is_no_pool(options: dict[str, object], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        LLMConfig.model_validate({"base_url": "http://a/v1", **options})
