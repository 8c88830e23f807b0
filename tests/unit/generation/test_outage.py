"""The endpoint dies in the middle of generation and comes back: nothing lost or paid for twice."""

import json
import threading
from collections import Counter
from pathlib import Path

import pytest

from data_contracts.dataset import content_sha256
from data_contracts.errors import EndpointError
from tasks.generation.generate import generate_examples
from tasks.llm.client import ChatClient
from tests.endpoint import completion
from tests.loopback import LoopbackHandler, LoopbackServer
from tests.unit.generation.conftest import tables
from tests.unit.generation.test_rounds import DOCUMENTS, wanting

# How it is dead: the connection breaks, it answers with an error, it says half a reply.
WAYS = ("cut", "500", "503", "half")
PASSAGES = 60


class Mortal(LoopbackServer):
    """Answers well until it dies; counts what it was paid for, by passage."""

    def __init__(self, way: str, dies_after: int | None) -> None:
        self.way, self.dies_after, self.dead = way, dies_after, False
        self.paid: Counter[int] = Counter()
        self.lock = threading.Lock()
        super().__init__(_Handler)

    def revive(self) -> None:
        self.dies_after, self.dead = None, False


class _Handler(LoopbackHandler):
    endpoint: Mortal

    def do_POST(self) -> None:
        asked = json.loads(self.body())["messages"][3]["content"]
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


def generated(server: Mortal, cache: Path, retries: int):
    options = {"base_url": server.base_url, "model": "m", "concurrency": 4, "max_retries": retries}
    config = wanting(None, llm=options | {"max_failures": 5})
    client = ChatClient(server.base_url, config.llm, None)
    return generate_examples(*tables(*DOCUMENTS), config, client, cache)


@pytest.fixture
def server(request):
    running = Mortal(*request.param)
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
