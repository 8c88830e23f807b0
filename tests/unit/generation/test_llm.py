"""The client against a real HTTP server that misbehaves."""

import json
import socket

import pytest

from data_contracts.errors import EndpointError
from tasks.generation.config import LLMConfig
from tasks.generation.conversation import converse
from tasks.generation.generators.single_fact import SingleFactGenerator, SingleFactReply, find_quote
from tasks.generation.llm import ChatClient, Request, UnreadableResponse
from tests.unit.generation.conftest import Endpoint, completion, view

CHUNK = view(
    "The island doctor is called on 555-0190 even if the person feels well. Do not rub arms or "
    "legs and do not give alcohol to anyone.",
    "After the rescue",
    title="Man overboard",
)
GOOD = {
    "evidence": "Do not rub arms or legs",
    "question": "What must not be done after the rescue of a person?",
    "answer": "Do not rub arms or legs.",
}
REQUEST = Request([{"role": "user", "content": "Hello"}], SingleFactReply)


def client(endpoint: Endpoint, retries: int = 2, key: str | None = None) -> ChatClient:
    config = LLMConfig(model="m", max_retries=retries, timeout_seconds=10)
    return ChatClient(endpoint.base_url, config, key)


def test_structured_output_is_asked_for(endpoint: Endpoint) -> None:
    endpoint.respond = lambda n, body: completion(json.dumps(GOOD))
    reply = client(endpoint, key="secret")(REQUEST)
    assert json.loads(reply.text) == GOOD
    assert (reply.prompt_tokens, reply.completion_tokens) == (10, 5)
    sent = endpoint.requests[0]
    assert sent["temperature"] == 0
    schema = sent["response_format"]["json_schema"]["schema"]
    assert list(schema["properties"]) == ["evidence", "question", "answer"]
    assert schema["additionalProperties"] is False
    assert endpoint.headers[0]["authorization"] == "Bearer secret"


def test_an_endpoint_without_structured_output_is_asked_plainly(endpoint: Endpoint) -> None:
    def respond(number: int, body: dict) -> tuple[int, dict[str, str], str]:
        if "response_format" in body:
            return 400, {}, '{"error": {"message": "response_format is not supported"}}'
        return completion(f"Here you are:\n```json\n{json.dumps(GOOD)}\n```")

    endpoint.respond = respond
    asking = client(endpoint)
    outcome = converse(SingleFactGenerator(), CHUNK, asking, repairs=1)
    assert outcome is not None
    assert outcome.candidates[0].answer == GOOD["answer"]
    asking(REQUEST)
    assert ["response_format" in body for body in endpoint.requests] == [True, False, False]


def test_what_passes_by_itself_is_tried_again(endpoint: Endpoint) -> None:
    failures = {1: (500, {}, "{}"), 2: (429, {"Retry-After": "0.05"}, "{}")}
    endpoint.respond = lambda n, body: failures.get(n) or completion(json.dumps(GOOD))
    assert json.loads(client(endpoint)(REQUEST).text) == GOOD
    assert len(endpoint.requests) == 3


@pytest.mark.parametrize(
    ("status", "attempts", "advice"),
    [
        (500, 2, "See the log of the server"),
        (429, 2, "lower `llm.concurrency`"),
        (401, 1, "OPENAI_API_KEY"),
        (404, 1, "llm.base_url"),
    ],
)
def test_what_does_not_pass_is_an_error_that_helps(
    endpoint: Endpoint, status: int, attempts: int, advice: str
) -> None:
    endpoint.respond = lambda n, body: (
        status, {"Retry-After": "0.01"}, '{"error": {"message": "no"}}'
    )  # fmt: skip
    with pytest.raises(EndpointError) as caught:
        client(endpoint, retries=1)(REQUEST)
    message = str(caught.value)
    assert endpoint.base_url in message
    assert str(status) in message
    assert advice in message
    assert len(endpoint.requests) == attempts


def test_nobody_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    config = LLMConfig(max_retries=0)
    with pytest.raises(EndpointError, match="cannot be reached.*Start the server"):
        ChatClient(url, config, None)(REQUEST)


@pytest.mark.parametrize(
    "body", ["this is not JSON", '{"choices": []}', '{"choices": null}', '{"error": "busy"}']
)
def test_success_without_a_completion(endpoint: Endpoint, body: str) -> None:
    endpoint.respond = lambda n, b: (200, {}, body)
    with pytest.raises(UnreadableResponse):
        client(endpoint)(REQUEST)


@pytest.mark.parametrize(
    ("first", "told"),
    [
        ("I would rather talk about the weather.", "no JSON object"),
        (json.dumps(GOOD)[:40], "broken"),
        ('{"question": "What?"}', "wrong form"),
        (json.dumps(GOOD | {"evidence": "Do not rub arms and knees"}), "not copied"),
        (json.dumps(GOOD | {"answer": " "}), "empty"),
    ],
)
def test_an_unusable_reply_is_sent_back_once_with_the_error(
    endpoint: Endpoint, first: str, told: str
) -> None:
    replies = {1: completion(first)}
    endpoint.respond = lambda n, body: replies.get(n) or completion(json.dumps(GOOD))
    outcome = converse(SingleFactGenerator(), CHUNK, client(endpoint), repairs=1)
    assert outcome is not None
    assert not outcome.failure
    assert outcome.candidates[0].question == GOOD["question"]
    assert [m["role"] for m in endpoint.requests[1]["messages"]][-2:] == ["assistant", "user"]
    assert told in endpoint.requests[1]["messages"][-1]["content"]


def test_a_reply_that_stays_unusable_is_given_up(endpoint: Endpoint) -> None:
    endpoint.respond = lambda n, body: completion('{"evidence": "Do not', "length")
    outcome = converse(SingleFactGenerator(), CHUNK, client(endpoint), repairs=1)
    assert outcome is not None
    assert outcome.candidates == ()
    assert "cut off at the token limit" in outcome.failure
    assert len(endpoint.requests) == 2


def test_quotes_are_found_whatever_their_white_space() -> None:
    assert find_quote("not  rub ARMS", "Do not rub\narms or legs") == (3, 15)
    assert find_quote("rub knees now", "Do not rub arms") is None
    assert find_quote("rub arms", "Do not rub arms") is None  # too short to be evidence
