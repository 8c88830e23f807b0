"""A model with a log: nothing paid for twice, failures stated, the budget kept."""

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from data_contracts.base import digest
from data_contracts.errors import EndpointError
from tasks.llm.budget import BudgetExceeded
from tasks.llm.client import CallFailed, Request
from tasks.llm.config import LLMConfig
from tasks.llm.logged import LoggedModel
from tasks.llm.request import Complete, Unreachable
from tasks.llm.response_log import Completion, ResponseLog
from tasks.llm.structured import Reply, ask_all, converse
from tests.endpoint import Endpoint, completion
from tests.unit.llm.conftest import Answer, Logged, reply

GOOD = json.dumps({"question": "What is it?", "answer": "A boat."})


def request(number: int = 0, sample: int = 0) -> Request:
    return Request([{"role": "user", "content": f"Question {number}"}], Answer, sample)


def model(complete: Complete, tmp_path: Path, **options: object) -> LoggedModel:
    config = LLMConfig.model_validate({"max_tokens": 16, **options})
    return LoggedModel(complete, ResponseLog(tmp_path / "responses.jsonl"), config)


def talk(asking: LoggedModel, number: int = 0, repairs: int = 1) -> Reply[str]:
    def accept(form: object) -> str:
        assert isinstance(form, Answer)
        return form.answer

    return converse(request(number).messages, Answer, accept, asking, repairs)


def silent(items: Iterable[object], total: int) -> Iterable[object]:
    return items


def test_threads_that_ask_the_same_share_one_reply(tmp_path: Path) -> None:
    calls: list[Request] = []

    def slow(asked: Request) -> Completion:
        calls.append(asked)
        time.sleep(0.1)
        return reply(asked.messages[0]["content"])

    asking = model(slow, tmp_path)
    with ThreadPoolExecutor(6) as pool:
        replies = list(pool.map(asking, [request(0)] * 5 + [request(1)]))
    assert len(calls) == 2
    assert [r.text for r in replies] == ["Question 0"] * 5 + ["Question 1"]
    figures = asking.usage.figures()
    assert (figures["llm_calls"], figures["llm_cached"], figures["prompt_tokens"]) == (2, 0, 6)


def test_several_samples_of_one_prompt_are_several_replies(tmp_path: Path) -> None:
    asking = model(lambda asked: reply(str(asked.sample)), tmp_path, temperature=0.7)
    assert [asking(request(0, sample)).text for sample in (0, 1, 2, 1)] == ["0", "1", "2", "1"]
    assert asking.usage.figures()["llm_calls"] == 3


def test_keys_of_older_logs_stay_good() -> None:
    config = LLMConfig(model="m")
    schema = Answer.model_json_schema()
    old = digest(["m", [{"role": "user", "content": "Question 0"}], 0.0, 160, schema])
    assert request().key(config) == old
    assert request(sample=1).key(config) != request().key(config)
    other = config.model_copy(update={"extra_body": {"think": False}})
    assert request().key(other) != request().key(config)
    same = config.model_copy(update={"concurrency": 9, "max_cost": 3.0})
    assert request().key(same) == request().key(config)


def test_one_failed_request_is_a_stated_failure_and_the_rest_goes_on(
    endpoint: Endpoint, logged: Logged, tmp_path: Path
) -> None:
    endpoint.respond = lambda n, body: (
        (500, {}, "{}") if "Question 2" in str(body["messages"]) else completion(GOOD)
    )
    asking = logged(max_retries=1)
    replies: dict[int, Reply[str]] = {}

    def conversation(number: int) -> None:
        replies[number] = talk(asking, number)

    ask_all([lambda n=n: conversation(n) for n in range(6)], 3, silent)  # type: ignore[misc]
    assert [replies[n].value for n in range(6)] == ["A boat."] * 2 + [None] + ["A boat."] * 3
    assert "status 500 2 times" in replies[2].failure
    before = len(endpoint.requests)
    assert talk(asking, 2).failure == replies[2].failure  # not asked again in this run
    assert len(endpoint.requests) == before
    assert asking.usage.figures()["llm_failed"] == 1
    entry = json.loads((tmp_path / "failures.jsonl").read_text())
    assert (entry["key"], "500" in entry["reason"]) == (request(2).key(asking.config), True)
    talk(logged(max_retries=0), 2)  # the next run asks again
    assert len(endpoint.requests) == before + 1


def test_an_endpoint_that_never_answers_ends_the_run(endpoint: Endpoint, logged: Logged) -> None:
    endpoint.respond = lambda n, body: (500, {}, "{}")
    asking = logged(max_retries=0)
    assert [bool(talk(asking, n).failure) for n in range(2)] == [True, True]
    with pytest.raises(EndpointError, match="3 requests failed"):
        talk(asking, 2)


def test_an_endpoint_that_stops_answering_ends_the_run(endpoint: Endpoint, logged: Logged) -> None:
    endpoint.respond = lambda n, body: completion(GOOD) if n == 1 else (500, {}, "{}")
    asking = logged(max_retries=0, max_failures=5)
    assert talk(asking, 0).value
    assert all(talk(asking, n).failure for n in range(1, 5))
    with pytest.raises(EndpointError, match="5 requests failed"):
        talk(asking, 5)


def test_nobody_there_ends_the_run_at_once_whatever_the_log_holds(tmp_path: Path) -> None:
    def nobody(asked: Request) -> Completion:
        raise Unreachable("cannot be reached")

    model(lambda asked: reply(), tmp_path)(request(1))
    with pytest.raises(EndpointError) as caught:
        talk(model(nobody, tmp_path))
    assert not isinstance(caught.value, CallFailed)


def test_the_first_request_goes_alone(tmp_path: Path) -> None:
    under_way: list[int] = []
    seen: list[int] = []
    lock = threading.Lock()

    def slow(asked: Request) -> Completion:
        with lock:
            under_way.append(1)
            seen.append(len(under_way))
        time.sleep(0.05)
        with lock:
            under_way.pop()
        return reply()

    asking = model(slow, tmp_path)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(asking, map(request, range(9))))
    assert seen[:2] == [1, 1]
    assert max(seen) == 4


def test_what_stays_unusable_is_kept_where_a_person_finds_it(
    endpoint: Endpoint, logged: Logged, tmp_path: Path
) -> None:
    endpoint.respond = lambda n, body: completion(f"I say {n}")
    asking = logged()
    outcome = talk(asking)
    assert outcome.value is None
    assert "no JSON object" in outcome.failure
    name, _, identifier = outcome.quarantine.partition("#")
    (entry,) = map(json.loads, (tmp_path / name).read_text().splitlines())
    assert (entry["id"], entry["reply"]) == (identifier, "I say 2")
    assert (entry["prompt_sha256"], entry["reason"]) == (outcome.prompt_sha256, outcome.failure)
    assert talk(logged()).quarantine == outcome.quarantine  # from the log: no second entry
    assert len((tmp_path / name).read_text().splitlines()) == 1
    assert asking.usage.figures()["llm_quarantined"] == 1


@pytest.mark.parametrize(
    ("first", "requests", "repaired"),
    [(GOOD, 1, 0), (GOOD.replace(",", ""), 1, 1), ("no", 2, 1)],
)
def test_repairs_are_counted(
    endpoint: Endpoint, logged: Logged, first: str, requests: int, repaired: int
) -> None:
    endpoint.respond = lambda n, body: completion(first if n == 1 else GOOD)
    asking = logged()
    assert talk(asking).value == "A boat."
    assert len(endpoint.requests) == requests
    assert asking.usage.figures()["llm_repaired"] == repaired
    if requests == 2:
        assert "no JSON object" in endpoint.requests[1]["messages"][-1]["content"]


def test_a_model_that_declines_is_asked_once(endpoint: Endpoint, logged: Logged) -> None:
    endpoint.respond = lambda n, body: completion("", "content_filter")
    assert "declined" in talk(logged()).failure
    assert len(endpoint.requests) == 1


def test_the_budget_stops_the_run_and_a_larger_one_goes_on(tmp_path: Path) -> None:
    calls: list[Request] = []

    def complete(asked: Request) -> Completion:
        calls.append(asked)
        return reply(GOOD, tokens=16)  # 3 + 16 tokens each

    work = [lambda n=n: talk(asking, n) for n in range(10)]  # type: ignore[misc]
    asking = model(complete, tmp_path, max_tokens_total=100)
    with pytest.raises(BudgetExceeded, match=r"95 of 100 tokens.*raise `llm.max_tokens_total`"):
        ask_all(work, 1, silent)
    assert len(calls) == 5
    asking = model(complete, tmp_path, max_tokens_total=100)
    with pytest.raises(BudgetExceeded):
        ask_all(work, 1, silent)
    assert len(calls) == 5  # the same budget pays for nothing more
    asking = model(complete, tmp_path, max_tokens_total=1000)
    ask_all(work, 1, silent)
    assert len(calls) == 10
    assert asking.usage.figures()["llm_cached"] == 5


def test_requests_under_way_do_not_overdraw_the_budget_together(tmp_path: Path) -> None:
    def slow(asked: Request) -> Completion:
        time.sleep(0.02)
        return reply(GOOD, tokens=16)

    asking = model(slow, tmp_path, max_cost=0.002, price_completion=10.0)
    with ThreadPoolExecutor(8) as pool:
        futures = [pool.submit(asking, request(n)) for n in range(40)]
    stopped = [f for f in futures if isinstance(f.exception(), BudgetExceeded)]
    assert stopped
    assert asking.usage.figures()["cost"] <= 0.002
    assert asking.usage.figures()["completion_tokens"] >= 5 * 16


def test_at_the_stop_a_run_can_finish_with_what_there_is(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    asking = model(
        lambda asked: reply(GOOD, tokens=16), tmp_path, max_tokens_total=100, on_budget="finish"
    )
    replies = [talk(asking, n) for n in range(10)]
    assert [r.value for r in replies] == ["A boat."] * 5 + [None] * 5
    assert "not asked for" in replies[5].failure
    assert asking.usage.figures()["llm_over_budget"] == 5
    assert asking.usage.figures()["llm_failed"] == 0
    assert len([r for r in caplog.records if "Going on with" in r.message]) == 1


def test_cost_and_speed_are_figures(tmp_path: Path) -> None:
    asking = model(
        lambda asked: reply(GOOD, 20), tmp_path, price_prompt=1_000_000, price_completion=100_000
    )
    asking(request(0))
    asking(request(0))
    figures = asking.usage.figures()
    assert (figures["cost"], figures["tokens_per_second"]) == (3 + 2, 40)
    again = model(lambda asked: reply(), tmp_path, price_prompt=1_000_000)
    again(request(0))
    assert (again.usage.figures()["llm_calls"], again.usage.figures()["cost"]) == (0, 3)


def test_processes_that_ask_the_same_pay_once(endpoint: Endpoint, tmp_path: Path) -> None:
    def slow(number: int, body: dict[str, Any]) -> tuple[int, dict[str, str], str]:
        time.sleep(0.02)
        return completion(GOOD)

    endpoint.respond = slow
    script = (
        "import sys; from concurrent.futures import ThreadPoolExecutor; from pathlib import Path\n"
        "from tasks.llm.client import ChatClient; from tasks.llm.config import LLMConfig\n"
        "from tasks.llm.logged import LoggedModel; from tasks.llm.response_log import ResponseLog\n"
        "from tests.unit.llm.test_logged import request\n"
        "config = LLMConfig(model='m')\n"
        "log = ResponseLog(Path(sys.argv[2]))\n"
        "model = LoggedModel(ChatClient(sys.argv[1], config, None), log, config)\n"
        "with ThreadPoolExecutor(4) as pool:\n"
        "    assert all(r.text for r in pool.map(model, map(request, range(30))))\n"
    )
    command = [sys.executable, "-c", script, endpoint.base_url, str(tmp_path / "log.jsonl")]
    running = [subprocess.Popen(command) for _ in range(3)]
    assert [process.wait() for process in running] == [0, 0, 0]
    asked = Counter(str(body["messages"]) for body in endpoint.requests)
    assert (len(asked), max(asked.values())) == (30, 1)
