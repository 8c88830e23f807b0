"""The client's throughput against a bare loop of requests, on the embedded server.

Both ask the same prompts at the same concurrency, in pairs, taking turns at going first. The
bare loop is what one would write in ten lines: threads, httpx, no log, no retries, no check.

python -m benchmarks.llm_client [--pairs 5] [--prompts 24]
"""

import argparse
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path

import httpx
from pydantic import BaseModel

from tasks.llm.client import ChatClient, Messages, Request
from tasks.llm.config import LLMConfig
from tasks.llm.dialect import first_dialect
from tasks.llm.embedded_server import embedded_server
from tasks.llm.logged import LoggedModel
from tasks.llm.response_log import ResponseLog
from tasks.llm.structured import ask_all, converse
from tasks.modeling.base_model import embedded_gguf
from tasks.settings import Settings

PAGE = Path("docs/results/llm_client.md")
CONCURRENCY, MAX_TOKENS, TARGET = 8, 24, 0.95


class Answer(BaseModel):
    """The form that is asked for."""

    answer: str


@dataclass(frozen=True)
class Run:
    """One pass over all prompts."""

    seconds: float
    requests: int
    tokens: int

    @property
    def requests_per_second(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds

    @property
    def tokens_per_second(self) -> float:
        """Reply tokens a second."""
        return self.tokens / self.seconds


def prompts(count: int) -> list[Messages]:
    """Return prompts of one length, all different."""
    text = "Passage {n}: the harbour office opens at {n} past eight. When does it open? As JSON:"
    return [[{"role": "user", "content": text.format(n=10 + number)}] for number in range(count)]


def bare(base_url: str, config: LLMConfig, asked: Sequence[Messages]) -> Run:
    """Ask with threads and httpx alone."""
    with (
        httpx.Client(timeout=config.timeout_seconds) as client,
        ThreadPoolExecutor(CONCURRENCY) as pool,
    ):

        def ask(messages: Messages) -> int:
            body = first_dialect(config).body(Request(messages, Answer), config)
            response = client.post(f"{base_url}/chat/completions", json=body)
            return int(response.json()["usage"]["completion_tokens"])

        started = time.monotonic()
        tokens = list(pool.map(ask, asked))
        return Run(time.monotonic() - started, len(tokens), sum(tokens))


def ours(base_url: str, config: LLMConfig, asked: Sequence[Messages]) -> Run:
    """Ask as the generators do: log, retries, budget, reading."""
    with tempfile.TemporaryDirectory() as folder:
        log = ResponseLog(Path(folder) / "responses.jsonl")
        model = LoggedModel(ChatClient(base_url, config, None), log, config)
        work = [partial(converse, messages, Answer, str, model, 0) for messages in asked]
        started = time.monotonic()
        ask_all(work, CONCURRENCY, _silent, model)
        seconds = time.monotonic() - started
        figures = model.usage.figures()
    return Run(seconds, int(figures["llm_calls"]), int(figures["completion_tokens"]))


def _silent(items: Iterable[object], total: int) -> Iterable[object]:
    return items


def measure(base_url: str, pairs: int, count: int) -> list[tuple[Run, Run]]:
    """Return pairs of runs, (bare, ours); both are warmed up before."""
    config = LLMConfig(
        base_url=base_url, concurrency=CONCURRENCY, max_tokens=MAX_TOKENS, max_retries=0
    )
    ways: tuple[Callable[..., Run], ...] = (bare, ours)
    for way in ways:
        way(base_url, config, prompts(CONCURRENCY))
    measured = []
    for pair in range(pairs):
        order = ways if pair % 2 == 0 else ways[::-1]
        runs = {way: way(base_url, config, prompts(count)) for way in order}
        measured.append((runs[bare], runs[ours]))
    return measured


def ratios(measured: Sequence[tuple[Run, Run]]) -> tuple[float, float]:
    """Return the median of ours / bare: of requests and of tokens a second."""
    return (
        statistics.median(o.requests_per_second / b.requests_per_second for b, o in measured),
        statistics.median(o.tokens_per_second / b.tokens_per_second for b, o in measured),
    )


def render(measured: Sequence[tuple[Run, Run]]) -> str:
    """Return the page."""
    by_requests, by_tokens = ratios(measured)
    met = "met" if min(by_requests, by_tokens) >= TARGET else "missed"
    rows = [
        f"| {n} | {b.requests_per_second:.2f} | {o.requests_per_second:.2f} "
        f"| {b.tokens_per_second:.1f} | {o.tokens_per_second:.1f} "
        f"| {o.requests_per_second / b.requests_per_second:.1%} |"
        for n, (b, o) in enumerate(measured, 1)
    ]
    return "\n".join(
        [
            "# Throughput of the language model's client",
            "",
            f"`{' '.join(['python', '-m', 'benchmarks.llm_client', *sys.argv[1:]])}`, "
            f"{datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, {os.cpu_count()} cores, Python "
            f"{platform.python_version()}, openai {version('openai')}, httpx {version('httpx')}, "
            f"xllamacpp {version('xllamacpp')}. Embedded model on one thread, concurrency "
            f"{CONCURRENCY}, {measured[0][0].requests} prompts a run, replies of up to "
            f"{MAX_TOKENS} tokens.",
            "",
            "| pair | bare requests/s | ours | bare tokens/s | ours | ours / bare |",
            "|---|---|---|---|---|---|",
            *rows,
            "",
            f"Median: {by_requests:.1%} of the requests/s and {by_tokens:.1%} of the tokens/s of "
            f"the bare loop; at least {TARGET:.0%} was wanted: {met}.",
            "",
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--prompts", type=int, default=24)
    arguments = parser.parse_args()
    with embedded_server(embedded_gguf(Settings().resolved_home)) as base_url:
        page = render(measure(base_url, arguments.pairs, arguments.prompts))
    PAGE.write_text(page)
    sys.stdout.write(page)


if __name__ == "__main__":
    main()
