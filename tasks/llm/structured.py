"""One conversation: ask for JSON, read it, ask again with the error shown, give up."""

import logging
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import BaseModel

from data_contracts.base import digest
from tasks.llm.logged import LoggedModel
from tasks.llm.reading import REFUSED
from tasks.llm.repair import Unusable, read_json
from tasks.llm.request import CallFailed, Complete, Messages, Request
from tasks.llm.response_log import Completion

logger = logging.getLogger(__name__)

T = TypeVar("T")


class InvalidReply(Exception):
    """A model's reply that is of no use; the message tells the model why."""


class Refusal(InvalidReply):
    """The model declined to answer; asking again would not help."""


@dataclass(frozen=True)
class Reply(Generic[T]):
    """What came of a conversation.

    Attributes:
        value: What was accepted, or None.
        prompt_sha256: Digest of the first messages.
        failure: Why nothing was accepted; empty if something was.
        quarantine: Where the reply that stayed unusable lies, as file#id; empty if none does.
    """

    value: T | None
    prompt_sha256: str
    failure: str = ""
    quarantine: str = ""


def converse(
    messages: Messages,
    form: type[BaseModel],
    accept: Callable[[BaseModel], T],
    complete: Complete,
    repairs: int,
    sample: int = 0,
) -> Reply[T]:
    """Ask a model until its reply is accepted or the attempts are used up.

    A reply that stays unusable goes into the quarantine of a `LoggedModel`. A request that
    gets no reply ends the conversation, but not the others.

    Args:
        messages: The conversation so far.
        form: The model of the JSON that is wanted back.
        accept: Turns the parsed reply into a value, or raises `InvalidReply`.
        complete: Asks the model.
        repairs: How often an unusable reply is sent back with the error shown.
        sample: Which of several different replies to the same messages is wanted.

    Raises:
        EndpointError: The endpoint failed for good, or the budget is used up.
    """
    prompt = digest(messages)
    text = failure = ""
    for attempt in range(repairs + 1):
        try:
            reply = complete(Request(messages, form, sample))
            text = reply.text
            parsed, mended = _parsed(reply, form)
            value = accept(parsed)
        except CallFailed as error:
            return Reply(None, prompt, str(error))
        except InvalidReply as error:
            failure = str(error)
            messages = _with_error(messages, text, failure)
            if isinstance(error, Refusal):
                break
        else:
            if (mended or attempt) and isinstance(complete, LoggedModel):
                complete.note_repair(prompt)
            return Reply(value, prompt)
    return Reply(None, prompt, failure, _kept(complete, prompt, text, failure))


def _kept(complete: Complete, prompt: str, text: str, failure: str) -> str:
    if not isinstance(complete, LoggedModel):
        return ""
    return complete.keep_unusable(prompt, text, failure)


def ask_all(
    conversations: Sequence[Callable[[], object]],
    concurrency: int,
    progress: Callable[[Iterable[object], int], Iterable[object]],
    model: LoggedModel | None = None,
) -> None:
    """Have all conversations at a given concurrency; the replies are in the log then.

    Args:
        conversations: Each asks through a `LoggedModel`; what it returns is not used.
        concurrency: Conversations under way at the same time.
        progress: Shows how many of a number of items are done.
        model: The model that all of them ask; needed for `llm.batch`.

    Raises:
        EndpointError: The endpoint failed for good, or the budget is used up; conversations
            not yet begun are given up.
    """
    if model is not None and model.batches is not None:
        model.ask_in_batches(conversations)
    with ThreadPoolExecutor(concurrency) as pool:
        futures = [pool.submit(conversation) for conversation in conversations]
        try:
            for future in progress(futures, len(futures)):
                future.result()  # type: ignore[attr-defined]
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _with_error(messages: Messages, reply: str, failure: str) -> Messages:
    shown = [{"role": "assistant", "content": reply}] if reply else []
    request = f"This reply cannot be used: {failure}. Reply again, with the JSON object only."
    return [*messages, *shown, {"role": "user", "content": request}]


def read_reply(reply: Completion, form: type[BaseModel]) -> BaseModel:
    """Read a reply as JSON of a given form, also where text or a code fence surrounds it.

    Raises:
        InvalidReply: There is no such JSON in it.
    """
    return _parsed(reply, form)[0]


def _parsed(reply: Completion, form: type[BaseModel]) -> tuple[BaseModel, bool]:
    """Return what a reply holds, and whether it had to be mended."""
    if reply.finish_reason in (REFUSED, "content_filter"):
        raise Refusal(f"the model declined to answer ({reply.text[:200] or reply.finish_reason})")
    try:
        return read_json(reply.text, form, cut_off=reply.finish_reason == "length")
    except Unusable as error:
        raise InvalidReply(str(error)) from error
