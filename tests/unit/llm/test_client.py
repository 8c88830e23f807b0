"""The client against a real HTTP server: retries, what endpoints differ in, errors that help."""

import json
import logging
import socket
import traceback
from typing import Any

import pytest

from data_contracts.errors import EndpointError
from tasks.llm.client import CallFailed, ChatClient, Request, UnreadableResponse
from tasks.llm.config import LLMConfig
from tasks.llm.request import Unreachable
from tests.endpoint import Endpoint, Reply, completion
from tests.unit.llm.conftest import Answer, Client

GOOD = json.dumps({"question": "What is it?", "answer": "A boat."})
REQUEST = Request([{"role": "user", "content": "Hello"}], Answer)
KEY = "sk-abcdefgh12345678"


def refusal(message: str, status: int = 400) -> Reply:
    return status, {}, json.dumps({"error": {"message": message}})


def test_structured_output_is_asked_for(endpoint: Endpoint, client: Client) -> None:
    endpoint.respond = lambda n, body: completion(GOOD)
    reply = client(key=KEY)(REQUEST)
    assert (reply.text, reply.prompt_tokens, reply.completion_tokens) == (GOOD, 10, 5)
    sent = endpoint.requests[0]
    assert (sent["temperature"], sent["max_tokens"]) == (0, 160)
    schema = sent["response_format"]["json_schema"]["schema"]
    assert schema["required"] == ["question", "answer"]
    assert schema["additionalProperties"] is False
    assert sent["response_format"]["json_schema"]["strict"] is True
    assert endpoint.headers[0]["authorization"] == f"Bearer {KEY}"


def test_a_refused_schema_gives_way_to_what_the_endpoint_accepts(
    endpoint: Endpoint, client: Client
) -> None:
    accepted = ["json_object"]

    def respond(number: int, body: dict[str, Any]) -> Reply:
        asked = body.get("response_format", {"type": "text"})["type"]
        return completion(GOOD) if asked in accepted else refusal(f"{asked} is not supported")

    endpoint.respond = respond
    asking = client()
    asking(REQUEST)
    asking(REQUEST)
    assert [b["response_format"]["type"] for b in endpoint.requests] == [
        "json_schema",
        "json_object",
        "json_object",
    ]
    assert '"question"' in endpoint.requests[1]["messages"][0]["content"]
    accepted[:] = ["text"]
    assert client()(REQUEST).text == GOOD
    assert "response_format" not in endpoint.requests[-1]


def test_reasoning_models_are_asked_their_way(endpoint: Endpoint, client: Client) -> None:
    def respond(number: int, body: dict[str, Any]) -> Reply:
        if "max_tokens" in body:
            return refusal("Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens'.")
        if "temperature" in body:
            return refusal("Unsupported value: 'temperature' does not support 0.0.")
        return completion(GOOD)

    endpoint.respond = respond
    asking = client()
    asking(REQUEST)
    asking(REQUEST)
    assert len(endpoint.requests) == 4  # two refusals, then it is known
    last = endpoint.requests[-1]
    assert last["max_completion_tokens"] == 160
    assert last["response_format"]["type"] == "json_schema"


def test_a_refusal_that_no_other_way_mends_is_told_and_changes_nothing(
    endpoint: Endpoint, client: Client
) -> None:
    long: list[bool] = [True]
    endpoint.respond = lambda n, body: refusal("too long") if long[0] else completion(GOOD)
    asking = client()
    with pytest.raises(CallFailed, match="too long"):
        asking(REQUEST)
    long[0] = False
    asking(REQUEST)
    assert endpoint.requests[-1]["response_format"]["type"] == "json_schema"


def test_the_form_of_the_request_can_be_fixed(endpoint: Endpoint, client: Client) -> None:
    endpoint.respond = lambda n, body: completion(GOOD)
    client(structured="text", extra_body={"think": False})(REQUEST)
    assert "response_format" not in endpoint.requests[0]
    assert endpoint.requests[0]["think"] is False
    endpoint.respond = lambda n, body: refusal("no")
    with pytest.raises(CallFailed):
        client(structured="json_object")(REQUEST)
    assert len(endpoint.requests) == 2


def test_another_sample_is_asked_for_with_another_seed(endpoint: Endpoint, client: Client) -> None:
    endpoint.respond = lambda n, body: completion(GOOD)
    asking = client(temperature=0.7)
    for sample in range(3):
        asking(Request(REQUEST.messages, Answer, sample))
    assert [body.get("seed") for body in endpoint.requests] == [None, 1, 2]


def test_azure_is_asked_at_its_deployment(endpoint: Endpoint) -> None:
    endpoint.respond = lambda n, body: completion(GOOD)
    address = endpoint.base_url.removesuffix("/v1")
    asking = ChatClient(address, LLMConfig(model="dep", api_version="2024-10-21"), KEY)
    assert asking(REQUEST).text == GOOD
    assert endpoint.headers[0]["api-key"] == KEY
    raw = asking.openai.chat.completions.with_raw_response.create(model="dep", messages=[])
    path = "/openai/deployments/dep/chat/completions?api-version=2024-10-21"
    assert str(raw.http_request.url) == address + path


@pytest.mark.parametrize(
    ("message", "text", "reason"),
    [
        ({"content": None}, "", "stop"),
        ({"content": None, "refusal": "I cannot."}, "I cannot.", "refusal"),
        ({"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}, "ab", "stop"),
        ({"content": "<think>is it {a}?</think>\n{}"}, "{}", "stop"),
        ({"content": "is it {a}?</think>{}"}, "{}", "stop"),
        ({"content": "<think>is it {a}"}, "", "stop"),
    ],
)
def test_replies_of_all_shapes(
    endpoint: Endpoint, client: Client, message: dict[str, Any], text: str, reason: str
) -> None:
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", **message}}
    endpoint.respond = lambda n, body: (200, {}, json.dumps({"id": "x", "choices": [choice]}))
    reply = client()(REQUEST)
    assert (reply.text, reply.finish_reason) == (text, reason)
    assert reply.prompt_tokens > 0  # guessed, where the endpoint does not count
    assert reply.completion_tokens > 0


@pytest.mark.parametrize(
    "body",
    ["not JSON", "<html>busy</html>", '{"choices": []}', '{"choices": null}', '{"error": "x"}', ""],
)
def test_success_without_a_completion_is_tried_again(
    endpoint: Endpoint, client: Client, body: str
) -> None:
    bad: Reply = (200, {}, body)
    endpoint.respond = lambda n, b: bad if n < 3 else completion(GOOD)
    assert client()(REQUEST).text == GOOD
    endpoint.respond = lambda n, b: bad
    with pytest.raises(UnreadableResponse, match="3 times"):
        client()(REQUEST)


def test_what_passes_by_itself_is_tried_again(endpoint: Endpoint, client: Client) -> None:
    failures = {1: (500, {}, "<html>"), 2: (429, {"Retry-After": "0.05"}, "{}")}
    endpoint.respond = lambda n, body: failures.get(n) or completion(GOOD)
    asking = client()
    assert asking(REQUEST).text == GOOD
    assert (len(endpoint.requests), asking.failed_attempts) == (3, 2)


@pytest.mark.parametrize(
    ("status", "attempts", "advice", "single"),
    [
        (500, 2, "See the log of the server", True),
        (429, 2, "lower `llm.concurrency`", True),
        (400, 3, "context length", True),  # put in three ways
        (401, 1, "OPENAI_API_KEY", False),
        (403, 1, "OPENAI_API_KEY", False),
        (404, 1, "llm.base_url", False),
    ],
)
def test_what_does_not_pass_is_an_error_that_helps(
    endpoint: Endpoint, client: Client, status: int, attempts: int, advice: str, *, single: bool
) -> None:
    endpoint.respond = lambda n, body: refusal("no", status)
    with pytest.raises(EndpointError) as caught:
        client(max_retries=1)(REQUEST)
    message = str(caught.value)
    assert endpoint.base_url in message
    assert f"status {status}" in message
    assert advice in message
    assert isinstance(caught.value, CallFailed) is single
    assert len(endpoint.requests) == attempts


def test_an_account_without_money_is_not_asked_again(endpoint: Endpoint, client: Client) -> None:
    error = {"error": {"message": "You exceeded your quota", "code": "insufficient_quota"}}
    endpoint.respond = lambda n, body: (429, {}, json.dumps(error))
    with pytest.raises(EndpointError, match="quota") as caught:
        client()(REQUEST)
    assert not isinstance(caught.value, CallFailed)
    assert len(endpoint.requests) == 1


def test_a_pause_longer_than_allowed_ends_the_run(endpoint: Endpoint, client: Client) -> None:
    endpoint.respond = lambda n, body: (429, {"Retry-After": "3600"}, "{}")
    with pytest.raises(EndpointError, match="wait 3600 s.*Run again later"):
        client(max_wait_seconds=0.2)(REQUEST)
    assert len(endpoint.requests) == 1


def test_nobody_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    with pytest.raises(Unreachable, match="cannot be reached.*Start the server"):
        ChatClient(url, LLMConfig(max_retries=0), None)(REQUEST)


def test_no_key_is_told(
    endpoint: Endpoint, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    endpoint.respond = lambda n, body: refusal(f"Incorrect key: {KEY}", 401)
    asking = client(key=KEY)
    with pytest.raises(EndpointError) as caught:
        asking(REQUEST)
    assert "Incorrect key: ***" in str(caught.value)
    assert KEY not in "".join(traceback.format_exception(caught.value))
    for text in (repr(asking), repr(vars(asking)), repr(asking.config), str(asking.config)):
        assert KEY not in text
    assert KEY not in asking.config.model_dump_json()
    for record in caplog.records:
        assert KEY not in record.getMessage()
    with pytest.raises(ValueError, match="manifests"):
        LLMConfig(base_url=f"http://me:{KEY}@127.0.0.1/v1")
