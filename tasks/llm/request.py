"""What a language model is asked, and the names that stand for asking."""

from collections.abc import Callable
from dataclasses import dataclass

from pydantic import BaseModel

from data_contracts.base import digest
from data_contracts.errors import EndpointError
from tasks.llm.config import LLMConfig
from tasks.llm.response_log import Completion

Messages = list[dict[str, str]]


@dataclass(frozen=True)
class Request:
    """What a model is asked.

    Attributes:
        messages: The conversation so far.
        response_format: The model of the JSON that is wanted back.
        sample: Which of several different replies to the same messages this is; needs a
            temperature above 0 to make a difference.
    """

    messages: Messages
    response_format: type[BaseModel]
    sample: int = 0

    def key(self, config: LLMConfig) -> str:
        """Return the digest of everything that the reply depends on."""
        schema = self.response_format.model_json_schema()
        parts = [config.model, self.messages, config.temperature, config.max_tokens, schema]
        # Only where they are used, so that older logs stay good.
        further = {"sample": self.sample, "extra_body": config.extra_body}
        return digest([*parts, *({name: value} for name, value in further.items() if value)])


Complete = Callable[[Request], Completion]


class CallFailed(EndpointError):
    """One request got no reply, in spite of retries; others may well get theirs."""


class NotServed(CallFailed):
    """An endpoint did not serve a request, in spite of retries; another one may."""


class Unreachable(NotServed):
    """Nobody answered, or not to the end."""


class UnreadableResponse(NotServed):
    """The endpoint answered with success, but what came is no completion."""
