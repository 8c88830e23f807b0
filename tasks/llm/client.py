"""A client for any OpenAI-compatible endpoint: asks, waits, tries again.

Retries are made here and nowhere else (the openai client's own are off): only here is it
known that all requests must pause when one is told to wait, and that fewer should be under
way. What cannot be mended is an `EndpointError` that says what to do.
"""

import json
import logging
import time
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, SecretStr

from data_contracts.errors import EndpointError
from tasks.llm.config import LLMConfig
from tasks.llm.dialect import Dialect, first_dialect
from tasks.llm.failure import Failure, read_failure
from tasks.llm.reading import prompt_size, read_completion
from tasks.llm.request import CallFailed, Complete, Messages, Request, UnreadableResponse
from tasks.llm.response_log import Completion
from tasks.llm.throttle import Throttle, pause_before

if TYPE_CHECKING:
    import openai
    from openai.types.chat import ChatCompletion

__all__ = ["CallFailed", "ChatClient", "Complete", "Messages", "Request", "UnreadableResponse"]

T = TypeVar("T")

# What a local server is given: the client insists on a key, such servers do not.
PLACEHOLDER_KEY = "no-key-needed"


class _Failed(Exception):
    """An attempt failed; another may not."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.said)
        self.failure = failure


class ChatClient:
    """Sends requests to an endpoint; safe to call from several threads.

    Args:
        base_url: Address of the endpoint, with its /v1.
        config: Model and limits.
        api_key: Key of the endpoint, or None for a server that needs none.

    Attributes:
        throttle: How many requests may be under way.
        failed_attempts: Attempts that failed so far, those mended by another included.
    """

    def __init__(self, base_url: str, config: LLMConfig, api_key: str | None) -> None:
        for name in ("httpx", "httpx2"):  # a line for each request else
            logging.getLogger(name).setLevel(logging.WARNING)
        self.base_url, self.config = base_url, config
        self.throttle, self.failed_attempts = Throttle(config.concurrency), 0
        self.openai = connect(base_url, config, api_key)
        self._secret = SecretStr(api_key or "")
        self._dialects: dict[type[BaseModel], Dialect] = {}

    def __call__(self, request: Request) -> Completion:
        """Return the model's reply.

        Raises:
            CallFailed: This request got no reply in spite of retries.
            EndpointError: The endpoint cannot be reached or lets nobody in.
        """

        def send() -> Completion:
            started = time.monotonic()
            response = self._send(request)
            return read_completion(response, prompt_size(request), time.monotonic() - started)

        return self.retried(send)

    def reached(self) -> int:
        """Return the most requests that were under way at the same time."""
        return self.throttle.reached

    def retried(self, call: Callable[[], T], expected: tuple[type[Exception], ...] = ()) -> T:
        """Return what a call to the endpoint gives, trying again what may pass.

        Args:
            call: Makes one call with `self.openai`.
            expected: Errors of the library that the caller deals with.

        Raises:
            CallFailed: This call failed in spite of retries.
            EndpointError: The endpoint cannot be reached or lets nobody in.
        """
        for attempt in range(1, self.config.max_retries + 2):
            try:
                return self._attempt(call, expected)
            except _Failed as failed:
                failure = failed.failure
            self.failed_attempts += 1
            if not self._tries_again(failure, attempt):
                raise self._error(failure, attempt) from failure.shown_cause(self._secret)
            if not failure.pause:
                time.sleep(pause_before(attempt))
        raise AssertionError("the last attempt returns or raises")

    def _attempt(self, call: Callable[[], T], expected: tuple[type[Exception], ...]) -> T:
        """Make a call once there is a place; tell the throttle how it went."""
        import openai

        with self.throttle.place() as began:
            try:
                result = call()
            except expected:
                raise
            except (openai.APIError, json.JSONDecodeError, UnreadableResponse) as error:
                failure = read_failure(error)
                if failure.overloaded:
                    wait = min(failure.pause or 0.0, self.config.max_wait_seconds)
                    self.throttle.overloaded(began, wait)
                raise _Failed(failure) from error
        self.throttle.succeeded()
        return result

    def _tries_again(self, failure: Failure, attempt: int) -> bool:
        patient = (failure.pause or 0.0) <= self.config.max_wait_seconds
        return failure.passing and patient and attempt <= self.config.max_retries

    def _send(self, request: Request) -> "ChatCompletion":
        """Send a request in the way that the endpoint accepts, finding that way if need be."""
        import openai

        form = request.response_format
        dialect: Dialect | None = self.dialect(form)
        first: openai.APIStatusError | None = None
        while dialect is not None:
            try:
                response = self._create(dialect.body(request, self.config))
                self._dialects[form] = dialect
                return response
            except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
                first = first or error
                dialect = dialect.after(str(error.message))
        raise first or AssertionError("there is always a first way")

    def dialect(self, form: type[BaseModel]) -> Dialect:
        """Return how requests for a form are put, as far as the endpoint is known."""
        return self._dialects.get(form) or first_dialect(self.config)

    def _create(self, body: dict[str, Any]) -> "ChatCompletion":
        response: ChatCompletion = self.openai.chat.completions.create(
            model=body["model"],
            messages=body["messages"],
            extra_body={k: v for k, v in body.items() if k not in ("model", "messages")},
        )
        return response

    def _error(self, failure: Failure, attempts: int) -> EndpointError:
        """Return the error for a failure that is not tried again; no key is in it."""
        text = failure.message(self.base_url, self.config, attempts)
        if secret := self._secret.get_secret_value():
            text = text.replace(secret, "***")
        return failure.error(text)


def connect(base_url: str, config: LLMConfig, api_key: str | None) -> "openai.OpenAI":
    """Return the library's client: it makes no retries of its own and goes to no other host."""
    import openai

    key, http = api_key or PLACEHOLDER_KEY, openai.DefaultHttpxClient(follow_redirects=False)
    client: openai.OpenAI
    if config.api_version is None:
        client = openai.OpenAI(
            base_url=base_url,
            api_key=key,
            timeout=config.timeout_seconds,
            max_retries=0,
            http_client=http,
        )
    else:
        client = openai.AzureOpenAI(
            azure_endpoint=base_url,
            api_version=config.api_version,
            api_key=key,
            timeout=config.timeout_seconds,
            max_retries=0,
            http_client=http,
        )
    weakref.finalize(client, http.close)  # the library does so only with a client of its own
    return client
