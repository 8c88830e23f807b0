"""An endpoint dies in the middle of generation: nothing lost or paid for twice.

It comes back, or others that serve the same model go on without it.
"""

import json
import threading
from collections import Counter
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from data_contracts.dataset import content_sha256
from data_contracts.errors import EndpointError
from tasks.generation.generate import generate_examples
from tasks.llm.connect import language_model
from tests.endpoint import completion
from tests.loopback import LoopbackHandler, LoopbackServer
from tests.unit.generation.conftest import tables
from tests.unit.generation.test_rounds import DOCUMENTS, wanting

# How it is dead: the connection breaks, it answers with an error, it says half a reply.
WAYS = ("cut", "500", "503", "half")
PASSAGES = 60


class Mortal(LoopbackServer):
    """Answers well until it dies; counts what it was paid for, by passage.

    Attributes:
        hold: Called before each answer.
    """

    def __init__(self, way: str, dies_after: int | None) -> None:
        self.way, self.dies_after, self.dead = way, dies_after, False
        self.paid: Counter[int] = Counter()
        self.lock = threading.Lock()
        self.hold: Callable[[], object] = lambda: None
        super().__init__(_Handler)

    def revive(self) -> None:
        self.dies_after, self.dead = None, False


class _Handler(LoopbackHandler):
    endpoint: Mortal

    def do_POST(self) -> None:
        asked = json.loads(self.body())["messages"][3]["content"]
        self.endpoint.hold()
        with self.endpoint.lock:
            self.endpoint.dead |= self.endpoint.paid.total() == self.endpoint.dies_after
            if not self.endpoint.dead:
                self._answer(asked)
                return
        data = completion("{}")[2].encode()
        way = self.endpoint.way
        if way.isdigit():
            self.send(int(way), b'{"error": {"message": "gone"}}')
        else:
            self.send(200, data, cut=len(data) // 2 if way == "half" else 0)

    def _answer(self, asked: str) -> None:
        sentence = asked.split("\n\n")[1].split("\n</passage")[0]
        saw = int(sentence.split()[3])
        reply = {
            "evidence": sentence,
            "question": f"How often is the saw number {saw} oiled?",
            "answer": sentence,
        }
        self.endpoint.paid[saw] += 1
        self.send(200, completion(json.dumps(reply))[2].encode())


def generated(server: Mortal, cache: Path, retries: int, *others: Mortal, concurrency: int = 4):
    options = {"base_url": server.base_url, "further_urls": [each.base_url for each in others]}
    options |= {"model": "m", "concurrency": concurrency, "max_retries": retries, "max_failures": 5}
    config = wanting(None, llm=options)
    with language_model(config.llm, cache) as model:
        return generate_examples(*tables(*DOCUMENTS), config, model, cache)


@pytest.fixture
def server(request):
    running = Mortal(*request.param)
    yield running
    running.close()


@pytest.fixture
def second():
    running = Mortal("500", None)
    yield running
    running.close()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> str:
    running = Mortal("500", None)
    result = generated(running, tmp_path_factory.mktemp("undisturbed"), 0)
    running.close()
    assert result.kept.num_rows == running.paid.total() == PASSAGES
    return content_sha256(result.kept)


@pytest.mark.parametrize("server", [(way, 20) for way in WAYS], indirect=True)
def test_a_run_goes_on_by_itself_when_the_endpoint_comes_back(
    server, undisturbed, tmp_path, monkeypatch
):
    waited = []

    def wait(attempt: int) -> float:
        waited.append(attempt)
        if attempt == 3:
            server.revive()
        return 0.0

    monkeypatch.setattr("tasks.llm.client.pause_before", wait)
    result = generated(server, tmp_path, retries=6)
    assert waited
    assert content_sha256(result.kept) == undisturbed
    assert not result.dropped.num_rows
    assert set(server.paid.values()) == {1} and len(server.paid) == PASSAGES


@pytest.mark.parametrize("server", [(way, 20) for way in WAYS], indirect=True)
def test_a_run_that_gave_up_asks_only_for_what_is_missing_when_started_again(
    server, undisturbed, tmp_path, monkeypatch
):
    monkeypatch.setattr("tasks.llm.client.pause_before", lambda attempt: 0.0)
    with pytest.raises(EndpointError, match=r"The LLM endpoint.*See|The LLM endpoint.*Start"):
        generated(server, tmp_path, retries=1)
    assert server.paid.total() == 20
    server.revive()
    again = generated(server, tmp_path, retries=1)
    assert content_sha256(again.kept) == undisturbed
    assert not again.dropped.num_rows
    assert set(server.paid.values()) == {1} and len(server.paid) == PASSAGES


@pytest.mark.parametrize("server", [("cut", 20)], indirect=True)
def test_a_dead_process_that_is_started_again_elsewhere(server, undisturbed, tmp_path, monkeypatch):
    monkeypatch.setattr("tasks.llm.client.pause_before", lambda attempt: 0.0)
    # Up to three more may be under way when the fifth fails.
    with pytest.raises(EndpointError, match="[5-8] requests failed one after the other"):
        generated(server, tmp_path, retries=1)
    server.close()  # its port refuses connections
    with pytest.raises(EndpointError, match=r"cannot be reached.*Start the server"):
        generated(server, tmp_path, retries=1)
    started = Mortal("cut", None)
    try:
        again = generated(started, tmp_path, retries=1)
    finally:
        started.close()
    assert content_sha256(again.kept) == undisturbed
    paid = server.paid + started.paid
    assert set(paid.values()) == {1} and len(paid) == PASSAGES


@pytest.mark.parametrize("server", [(way, 6) for way in WAYS], indirect=True)
def test_of_two_endpoints_one_dies_and_the_other_does_its_work(
    server, second, undisturbed, tmp_path, monkeypatch
):
    monkeypatch.setattr("tasks.llm.client.pause_before", lambda attempt: 0.0)
    result = generated(server, tmp_path, 1, second)
    assert content_sha256(result.kept) == undisturbed
    assert not result.dropped.num_rows
    assert server.dead
    assert (server.paid.total(), second.paid.total()) == (6, PASSAGES - 6)
    assert set((server.paid + second.paid).values()) == {1}


@pytest.mark.parametrize("server", [("500", None)], indirect=True)
def test_while_both_are_there_both_work_at_the_same_time(server, second, undisturbed, tmp_path):
    asked, met = count(), threading.Event()

    def wait_for_the_other() -> None:
        if next(asked):  # the first request of a run goes alone
            met.wait(timeout=10)
            met.set()

    server.hold, second.hold = wait_for_the_other, met.set
    result = generated(server, tmp_path, 0, second, concurrency=1)
    assert second.paid
    assert content_sha256(result.kept) == undisturbed
    assert set((server.paid + second.paid).values()) == {1}


@pytest.mark.parametrize("server", [("500", 20)], indirect=True)
def test_when_all_are_dead_the_run_gives_up_and_one_more_endpoint_ends_it(
    server, second, undisturbed, tmp_path, monkeypatch
):
    monkeypatch.setattr("tasks.llm.client.pause_before", lambda attempt: 0.0)
    second.dies_after = 10
    with pytest.raises(EndpointError, match="requests failed one after the other"):
        generated(server, tmp_path, 1, second)
    assert (server.paid.total(), second.paid.total()) == (20, 10)
    third = Mortal("500", None)
    try:
        again = generated(second, tmp_path, 1, third, server)
    finally:
        third.close()
    assert content_sha256(again.kept) == undisturbed
    assert third.paid.total() == PASSAGES - 30
    assert set((server.paid + second.paid + third.paid).values()) == {1}
