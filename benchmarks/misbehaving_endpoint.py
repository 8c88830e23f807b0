"""An OpenAI-compatible endpoint that misbehaves by a seeded script, and keeps the books.

Whatever a prompt is, the same attempt at it meets the same misbehaviour. The books say which
prompts got a well-formed completion, that is, one that would be paid for, and how often.
"""

import json
import random
import threading
import time
from collections import Counter
from typing import Any

from data_contracts.base import digest
from tests.loopback import LoopbackHandler, LoopbackServer

# Misbehaviour and its share of all attempts; the rest is answered well.
SHARES = {
    "status 500": 0.05,
    "status 503, no Retry-After": 0.01,
    "no answer in time": 0.004,
    "cut in the middle of the body": 0.03,
    "broken JSON in the body": 0.02,
    "no choices": 0.02,
    "HTML page with status 200": 0.02,
    "HTML page with status 502": 0.02,
    "reply cut off at the limit": 0.03,
    "reply is no JSON": 0.03,
    "reply is JSON but for a comma": 0.02,
    "reply of another form": 0.03,
    "reply with an invented field": 0.02,
    "reply with a field twice": 0.02,
}
BURST = "status 429 burst"
GOOD = "good"

# Of this many requests that come, so many in a row are turned away.
BURST_EVERY, BURST_LENGTH = 400, 12

PAGE = b"<html><h1>Bad gateway</h1></html>"

_REPLIES = {
    "reply cut off at the limit": ('{"question": "What is it?", "answer": "It is', "length"),
    "reply is no JSON": ("I would rather talk about the weather.", "stop"),
    "reply is JSON but for a comma": ('{"question": "What is it?" "answer": "TAG."}', "stop"),
    "reply of another form": ('{"verdict": "yes"}', "stop"),
    "reply with an invented field": (
        '{"question": "What is it?", "answer": "TAG.", "sure": true}',
        "stop",
    ),
    "reply with a field twice": (
        '{"question": "What is it?", "answer": "TAG.", "answer": "No."}',
        "stop",
    ),
    GOOD: ('{"question": "What is it?", "answer": "TAG."}', "stop"),
}


class MisbehavingEndpoint(LoopbackServer):
    """A server on a loopback port.

    Args:
        seed: Chooses who meets which misbehaviour.
        slow_seconds: How long an answer takes that comes too late.
        burst_seconds: What `Retry-After` says in a burst.

    Attributes:
        met: How often each misbehaviour was met.
        paid: How often each prompt got a completion, by digest of its messages.
    """

    def __init__(self, seed: int, slow_seconds: float, burst_seconds: float) -> None:
        self.seed, self.slow_seconds, self.burst_seconds = seed, slow_seconds, burst_seconds
        self.met: Counter[str] = Counter()
        self.paid: Counter[str] = Counter()
        self._attempts: Counter[str] = Counter()
        self._lock = threading.Lock()
        super().__init__(_Handler)

    def fate(self, prompt: str) -> str:
        """Return what this attempt at a prompt meets, and enter it into the books."""
        with self._lock:
            self._attempts[prompt] += 1
            number = sum(self.met.values())
            if number % BURST_EVERY >= BURST_EVERY - BURST_LENGTH:
                met = BURST
            else:
                chance = random.Random(f"{self.seed} {prompt} {self._attempts[prompt]}")
                met = chance.choices([*SHARES, GOOD], [*SHARES.values(), 1 - sum(SHARES.values())])[
                    0
                ]
            self.met[met] += 1
            if met in _REPLIES:
                self.paid[prompt] += 1
            return met


class _Handler(LoopbackHandler):
    endpoint: MisbehavingEndpoint

    def do_POST(self) -> None:  # noqa: N802 - http.server calls it so
        body = json.loads(self.body())
        met = self.endpoint.fate(digest(body["messages"]))
        try:
            self._answer(met, body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the client has given up waiting

    def _answer(self, met: str, body: dict[str, Any]) -> None:
        if met == BURST:
            wait = {"Retry-After": f"{self.endpoint.burst_seconds:g}"}
            self.send(429, b'{"error": {"message": "slow down"}}', wait)
        elif met.startswith("status"):
            self.send(int(met.split()[1].rstrip(",")), b'{"error": {"message": "oh"}}')
        elif met == "no answer in time":
            time.sleep(self.endpoint.slow_seconds)
            self.close_connection = True
        elif met.startswith("HTML"):
            self.send(int(met.split()[-1]), PAGE, {"Content-Type": "text/html"})
        elif met == "no choices":
            self.send(200, b'{"id": "x", "choices": []}')
        else:
            self._complete(met, body)

    def _complete(self, met: str, body: dict[str, Any]) -> None:
        text, reason = _REPLIES.get(met, _REPLIES[GOOD])
        tag = str(body["messages"][0]["content"])
        message = {"role": "assistant", "content": text.replace("TAG", tag)}
        choice = {"index": 0, "finish_reason": reason, "message": message}
        usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
        full = json.dumps({"id": "x", "choices": [choice], "usage": usage})
        if met == "broken JSON in the body":
            self.send(200, full[:-20].encode())
        else:
            cut = len(full) // 2 if met.startswith("cut") else len(full)
            self.send(200, full.encode(), cut=cut)
