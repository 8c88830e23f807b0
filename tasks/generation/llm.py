"""A thin client for any OpenAI-compatible endpoint.

It asks for JSON of a given schema, and retries what may pass by itself (408, 409, 429 with
its Retry-After, 5xx, lost connections): here and nowhere else. What it cannot mend is an
`EndpointError` that says what to do.
"""

import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from data_contracts.base import digest
from data_contracts.errors import EndpointError
from tasks.generation.base import Messages
from tasks.generation.config import LLMConfig
from tasks.generation.response_log import Completion

if TYPE_CHECKING:
    from openai import APIStatusError
    from openai.types.chat import ChatCompletion

# What a local server is given: the client insists on a key, such servers do not.
PLACEHOLDER_KEY = "no-key-needed"

_ADVICE = {
    400: "The endpoint does not accept the request: check `llm.model` and its context length.",
    401: "Set OPENAI_API_KEY to a key that is valid there.",
    403: "The key in OPENAI_API_KEY may not use this model: use another key or model.",
    404: "Check `generation.llm.base_url` (it usually ends in /v1) and `generation.llm.model`.",
    429: "The endpoint is over its rate or its quota: lower `llm.concurrency` or wait.",
}


@dataclass(frozen=True)
class Request:
    """What a model is asked.

    Attributes:
        messages: The conversation so far.
        response_format: The model of the JSON that is wanted back.
    """

    messages: Messages
    response_format: type[BaseModel]

    def key(self, config: LLMConfig) -> str:
        """Return the digest of everything that the reply depends on."""
        schema = self.response_format.model_json_schema()
        return digest([config.model, self.messages, config.temperature, config.max_tokens, schema])


Complete = Callable[[Request], Completion]


class UnreadableResponse(Exception):
    """The endpoint answered with success, but what came is no completion."""


class ChatClient:
    """Sends requests to an endpoint; safe to call from several threads.

    Args:
        base_url: Address of the endpoint, with its /v1.
        config: Model and limits.
        api_key: Key of the endpoint, or None for a server that needs none.
    """

    def __init__(self, base_url: str, config: LLMConfig, api_key: str | None) -> None:
        import openai

        logging.getLogger("httpx2").setLevel(logging.WARNING)  # a line for each request else
        self.base_url, self.config = base_url, config
        self._structured = True
        self._client = openai.OpenAI(
            base_url=base_url,
            api_key=api_key or PLACEHOLDER_KEY,
            timeout=config.timeout_seconds,
            max_retries=config.max_retries,
        )

    def __call__(self, request: Request) -> Completion:
        """Return the model's reply.

        Raises:
            EndpointError: The endpoint cannot be reached, refuses, or keeps failing.
            UnreadableResponse: It sent something that is no completion.
        """
        import openai

        started = time.monotonic()
        try:
            response = self._send(request)
        except openai.APIStatusError as error:
            raise self._status_error(error) from error
        except openai.APITimeoutError as error:
            raise EndpointError(
                f"The LLM endpoint {self.base_url} gave no answer within "
                f"{self.config.timeout_seconds:g} s, {self.config.max_retries + 1} times. "
                "Raise `llm.timeout_seconds`, or lower `llm.concurrency`. Finished replies are "
                "kept."
            ) from error
        except openai.APIConnectionError as error:
            raise EndpointError(
                f"The LLM endpoint {self.base_url} cannot be reached: {error.__cause__ or error}. "
                "Start the server or correct `generation.llm.base_url`. Finished replies are kept."
            ) from error
        except (openai.APIResponseValidationError, json.JSONDecodeError) as error:
            raise UnreadableResponse(f"the endpoint's answer is not JSON ({error})") from error
        return _completion(response, time.monotonic() - started)

    def _send(self, request: Request) -> "ChatCompletion":
        """Ask for structured output, or in plain words where the endpoint refuses that."""
        import openai

        if self._structured:
            try:
                return self._create(request, response_format=_json_schema(request))
            except (openai.BadRequestError, openai.UnprocessableEntityError):
                response = self._create(request)
                self._structured = False
                return response
        return self._create(request)

    def _create(self, request: Request, **options: Any) -> "ChatCompletion":
        messages: Any = request.messages
        response: ChatCompletion = self._client.chat.completions.create(
            model=self.config.model,
            messages=messages,
            temperature=self.config.temperature,
            max_tokens=self.config.max_tokens,
            **options,
        )
        return response

    def _status_error(self, error: "APIStatusError") -> EndpointError:
        status = error.status_code
        after = (
            f" after {self.config.max_retries + 1} attempts" if status in (408, 409, 429) else ""
        )
        if status >= 500:
            after = f" {self.config.max_retries + 1} times"
        advice = _ADVICE.get(status, "See the log of the server.")
        return EndpointError(
            f"The LLM endpoint {self.base_url} answered with status {status}{after}: "
            f"{str(error.message)[:300]}. {advice} Finished replies are kept."
        )


def _json_schema(request: Request) -> dict[str, Any]:
    form = request.response_format
    schema = {"name": form.__name__, "schema": form.model_json_schema(), "strict": True}
    return {"type": "json_schema", "json_schema": schema}


def _completion(response: "ChatCompletion", seconds: float) -> Completion:
    choices = getattr(response, "choices", None)
    if not choices:
        raise UnreadableResponse("the endpoint's answer holds no choice")
    message = choices[0].message
    text = (message.content or message.refusal or "") if message else ""
    usage = response.usage
    return Completion(
        text=text,
        finish_reason=choices[0].finish_reason or "unknown",
        prompt_tokens=usage.prompt_tokens if usage else 0,
        completion_tokens=usage.completion_tokens if usage else 0,
        seconds=round(seconds, 3),
    )
