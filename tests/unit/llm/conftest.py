"""What the tests of the language model's client share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from tasks.llm.client import ChatClient
from tasks.llm.config import LLMConfig
from tasks.llm.logged import LoggedModel
from tasks.llm.response_log import Completion, ResponseLog
from tests.endpoint import Endpoint

Client = Callable[..., ChatClient]
Logged = Callable[..., LoggedModel]


class Answer(BaseModel):
    """The JSON that the tests ask for."""

    question: str
    answer: str


def reply(text: str = "{}", tokens: int = 2) -> Completion:
    return Completion(
        text=text, finish_reason="stop", prompt_tokens=3, completion_tokens=tokens, seconds=0.5
    )


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the pauses before further attempts."""
    monkeypatch.setattr("tasks.llm.throttle.FIRST_PAUSE_SECONDS", 0.01)


@pytest.fixture
def client(endpoint: Endpoint) -> Client:
    def make(key: str | None = None, **options: Any) -> ChatClient:
        settings = {"model": "m", "max_retries": 2, "timeout_seconds": 10} | options
        return ChatClient(endpoint.base_url, LLMConfig(**settings), key)

    return make


@pytest.fixture
def logged(client: Client, tmp_path: Path) -> Logged:
    def make(**options: Any) -> LoggedModel:
        asking = client(**options)
        return LoggedModel(asking, ResponseLog(tmp_path / "responses.jsonl"), asking.config)

    return make
