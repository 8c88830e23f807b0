"""One generator, one chunk, one model: ask, read, ask again with the error, give up.

The replies go through a log, so what was answered once is not asked again.
"""

import json
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from pydantic import BaseModel, ValidationError

from data_contracts.base import digest
from tasks.generation.base import Candidate, ChunkView, InvalidReply, LLMGenerator, Messages
from tasks.generation.config import LLMConfig
from tasks.generation.llm import Complete, Request, UnreadableResponse
from tasks.generation.response_log import Completion, ResponseLog


@dataclass(frozen=True)
class Outcome:
    """What came of a conversation: candidates, or the reason why there are none."""

    candidates: tuple[Candidate, ...]
    prompt_sha256: str
    failure: str = ""


@dataclass
class Usage:
    """What the model's work amounted to in this run."""

    calls: int = 0
    cached: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    seen: set[str] = field(default_factory=set)

    def figures(self) -> dict[str, float]:
        """Return the numbers for MLflow and the report."""
        speed = self.completion_tokens / self.seconds if self.seconds else 0.0
        return {
            "llm_calls": self.calls,
            "llm_cached": self.cached,
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "tokens_per_second": round(speed, 2),
        }


class LoggedModel:
    """A model whose replies are looked up in a log before it is asked.

    Args:
        complete: Asks the model.
        log: The replies so far.
        config: Model and limits: part of a reply's key.
    """

    def __init__(self, complete: Complete, log: ResponseLog, config: LLMConfig) -> None:
        self.complete, self.log, self.config = complete, log, config
        self.usage = Usage()
        self._lock = threading.Lock()

    def __call__(self, request: Request) -> Completion:
        """Return the reply to a request, from the log if it is there."""
        key = request.key(self.config)
        known = self.log.get(key)
        reply = known or self.complete(request)
        if known is None:
            self.log.append(key, reply)
        self._count(key, reply, cached=known is not None)
        return reply

    def _count(self, key: str, reply: Completion, *, cached: bool) -> None:
        with self._lock:
            if key in self.usage.seen:
                return
            self.usage.seen.add(key)
            self.usage.calls += not cached
            self.usage.cached += cached
            self.usage.prompt_tokens += reply.prompt_tokens
            self.usage.completion_tokens += reply.completion_tokens
            self.usage.seconds += reply.seconds


def converse(
    generator: LLMGenerator, chunk: ChunkView, complete: Complete, repairs: int
) -> Outcome | None:
    """Ask the model about a chunk.

    Args:
        generator: Says what to ask and how to read the reply.
        chunk: The chunk.
        complete: Asks the model.
        repairs: How often an unusable reply is sent back with the error shown.

    Returns:
        The outcome, or None where the chunk offers nothing to ask about.
    """
    messages = generator.messages(chunk)
    if messages is None:
        return None
    prompt = digest(messages)
    failure = ""
    for _ in range(repairs + 1):
        text = ""
        try:
            reply = complete(Request(messages, generator.response_format))
            text = reply.text
            parsed = read_reply(reply, generator.response_format)
            return Outcome(tuple(generator.parse(parsed, chunk)), prompt)
        except (InvalidReply, UnreadableResponse) as error:
            failure = str(error)
            messages = _with_error(messages, text, failure)
    return Outcome((), prompt, failure)


def _with_error(messages: Messages, reply: str, failure: str) -> Messages:
    shown = [{"role": "assistant", "content": reply}] if reply else []
    request = f"This reply cannot be used: {failure}. Reply again, with the JSON object only."
    return [*messages, *shown, {"role": "user", "content": request}]


def read_reply(reply: Completion, form: type[BaseModel]) -> BaseModel:
    """Read a reply as JSON of a given form, also where text or a code fence surrounds it.

    Raises:
        InvalidReply: There is no such JSON in it.
    """
    start = reply.text.find("{")
    if start < 0:
        raise InvalidReply("it holds no JSON object")
    try:
        value, _ = json.JSONDecoder(strict=False).raw_decode(reply.text[start:])
        return form.model_validate(value)
    except json.JSONDecodeError as error:
        cut = "it was cut off at the token limit" if reply.finish_reason == "length" else error.msg
        raise InvalidReply(f"its JSON is broken ({cut})") from error
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise InvalidReply(f"its JSON has the wrong form ({problems})") from error


def ask_all(
    work: Sequence[tuple[LLMGenerator, ChunkView]],
    model: LoggedModel,
    progress: Callable[[Iterable[object], int], Iterable[object]],
) -> None:
    """Have all conversations at the configured concurrency; the replies are in the log then.

    Args:
        work: Generators and the chunks that they ask about.
        model: The model behind its log.
        progress: Shows how many of a number of items are done.

    Raises:
        EndpointError: The endpoint failed; conversations not yet begun are given up.
    """
    distinct = {digest([g.generator, g.messages(c)]): (g, c) for g, c in work}
    repairs = model.config.repairs
    with ThreadPoolExecutor(model.config.concurrency) as pool:
        futures = [pool.submit(converse, g, c, model, repairs) for g, c in distinct.values()]
        try:
            for future in progress(futures, len(futures)):
                future.result()  # type: ignore[attr-defined]
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
