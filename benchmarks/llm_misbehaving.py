"""The client against a server that misbehaves: no request is lost, no reply paid for twice.

python -m benchmarks.llm_misbehaving [--requests 10000]
"""

import argparse
import platform
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path

from pydantic import BaseModel

from benchmarks.misbehaving_endpoint import MisbehavingEndpoint
from tasks.llm.client import ChatClient
from tasks.llm.config import LLMConfig
from tasks.llm.logged import LoggedModel
from tasks.llm.response_log import ResponseLog
from tasks.llm.structured import Reply, ask_all, converse

PAGE = Path("docs/results/llm_misbehaving.md")
CONCURRENCY, RETRIES, TIMEOUT_SECONDS, BURST_SECONDS = 32, 2, 1.0, 0.2


class Question(BaseModel):
    """The form that is asked for."""

    question: str
    answer: str


@dataclass(frozen=True)
class Result:
    """What came of a run.

    Attributes:
        ends: How many conversations ended how.
        met: How often each misbehaviour was met.
        lost: Conversations that ended as nothing.
        wrong: Accepted values that are not what the server said.
        doubled: Prompts with more than one completion.
        asked_again: Completions paid for in a second run over the same log.
        figures: The client's own figures.
        seconds: How long the first run took.
    """

    ends: Counter[str]
    met: Counter[str]
    lost: int
    wrong: int
    doubled: int
    asked_again: int
    figures: dict[str, float]
    seconds: float


def measure(requests: int, seed: int = 0, timeout: float = TIMEOUT_SECONDS) -> Result:
    """Have many conversations with the misbehaving server, and look into its books.

    On a busy machine a good reply can take longer than a short time-out; the server has then
    answered what the client rightly asks for again, and its books show it twice.
    """
    server = MisbehavingEndpoint(seed, slow_seconds=1.5 * timeout, burst_seconds=BURST_SECONDS)
    try:
        with tempfile.TemporaryDirectory() as folder:
            started = time.monotonic()
            replies, model = run(server, Path(folder), requests, timeout)
            seconds = time.monotonic() - started
            doubled = sum(count > 1 for count in server.paid.values())
            met, paid = Counter(server.met), sum(server.paid.values())
            done = {tag for tag, reply in replies.items() if reply.value is not None}
            run(server, Path(folder), requests, timeout, only=done)
            again = sum(server.paid.values()) - paid
    finally:
        server.close()
    return Result(
        ends=Counter("accepted" if r.value else _why(r.failure) for r in replies.values()),
        met=met,
        lost=requests - sum(bool(r.value) != bool(r.failure) for r in replies.values()),
        wrong=sum(r.value is not None and r.value != f"{tag}." for tag, r in replies.items()),
        doubled=doubled,
        asked_again=again,
        figures=model.usage.figures(),
        seconds=seconds,
    )


def run(
    server: MisbehavingEndpoint,
    folder: Path,
    requests: int,
    timeout: float,
    only: set[str] | None = None,
) -> tuple[dict[str, Reply[str]], LoggedModel]:
    """Have the conversations, each about a tag of its own; return what came, by tag."""
    config = LLMConfig(
        base_url=server.base_url,
        model="m",
        concurrency=CONCURRENCY,
        max_retries=RETRIES,
        timeout_seconds=timeout,
        max_failures=50,
    )
    client = ChatClient(server.base_url, config, api_key=None)
    model = LoggedModel(client, ResponseLog(folder / "responses.jsonl"), config)
    replies: dict[str, Reply[str]] = {}
    lock = threading.Lock()

    def ask(tag: str) -> None:
        messages = [{"role": "user", "content": tag}]
        reply = converse(messages, Question, lambda form: str(form.answer), model, repairs=1)  # type: ignore[attr-defined]
        with lock:
            replies[tag] = reply

    tags = [f"tag{number}" for number in range(requests)]
    work = [partial(ask, tag) for tag in tags if only is None or tag in only]

    def silent(items: Iterable[object], total: int) -> Iterable[object]:
        return items

    ask_all(work, config.concurrency, silent, model)
    return replies, model


def _why(failure: str) -> str:
    """Return the kind of a stated failure."""
    for sign, kind in (
        ("status", "failed: status"),
        ("no answer within", "failed: no answer in time"),
        ("cannot be reached", "failed: connection"),
        ("no completion", "failed: no completion"),
        ("reply", "unusable reply"),
        ("its JSON", "unusable reply"),
        ("its field", "unusable reply"),
        ("no JSON", "unusable reply"),
    ):
        if sign in failure:
            return kind
    return "nothing stated"


def render(requests: int, result: Result) -> str:
    """Return the page."""
    ends = [f"| {end} | {count} |" for end, count in result.ends.most_common()]
    met = [f"| {name} | {count} |" for name, count in result.met.most_common()]
    figures = [f"| `{name}` | {value:g} |" for name, value in result.figures.items()]
    return "\n".join(
        [
            "# The language model's client against a server that misbehaves",
            "",
            f"`{' '.join(['python', '-m', 'benchmarks.llm_misbehaving', *sys.argv[1:]])}`, "
            f"{datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, Python "
            f"{platform.python_version()}, openai {version('openai')}. Local server, concurrency "
            f"{CONCURRENCY}, {RETRIES} retries, time-out {TIMEOUT_SECONDS:g} s, one reply sent "
            "back with its error.",
            "",
            f"{requests} conversations, {sum(result.met.values())} requests, "
            f"{result.seconds:.0f} s.",
            "",
            "| | |",
            "|---|---|",
            f"| lost (neither a value nor a stated failure) | {result.lost} |",
            f"| accepted, but not what the server said | {result.wrong} |",
            f"| prompts paid for more than once | {result.doubled} |",
            f"| paid for again in a second run over the same log | {result.asked_again} |",
            "",
            "| each conversation ended as | |",
            "|---|---|",
            *ends,
            "",
            "| what the server did | times |",
            "|---|---|",
            *met,
            "",
            "| the client's figures | |",
            "|---|---|",
            *figures,
            "",
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=10_000)
    requests = parser.parse_args().requests
    page = render(requests, measure(requests))
    PAGE.write_text(page)
    sys.stdout.write(page)


if __name__ == "__main__":
    main()
