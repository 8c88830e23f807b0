"""An OpenAI-compatible endpoint on loopback that answers as a test says."""

import json
import threading
from collections.abc import Callable
from typing import Any

from tests.loopback import LoopbackHandler, LoopbackServer

Reply = tuple[int, dict[str, str], str]


def completion(content: str, finish_reason: str = "stop") -> Reply:
    """A well-formed answer of an OpenAI-compatible endpoint."""
    choice = {
        "index": 0,
        "finish_reason": finish_reason,
        "message": {"role": "assistant", "content": content},
    }
    body = {
        "id": "x",
        "object": "chat.completion",
        "created": 0,
        "model": "m",
        "choices": [choice],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
    }
    return 200, {}, json.dumps(body)


class Endpoint(LoopbackServer):
    """A real HTTP server on a loopback port that answers as `respond` says."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.respond: Callable[[int, dict[str, Any]], Reply] = lambda n, body: completion("{}")
        self.lock = threading.Lock()
        super().__init__(_Handler, host)


class _Handler(LoopbackHandler):
    endpoint: Endpoint

    def do_POST(self) -> None:
        body = json.loads(self.body())
        with self.endpoint.lock:
            self.endpoint.requests.append(body)
            self.endpoint.headers.append({k.lower(): v for k, v in self.headers.items()})
            number = len(self.endpoint.requests)
        status, headers, text = self.endpoint.respond(number, body)
        self.send(status, text.encode(), headers)
