"""How an endpoint wants a request put: endpoints differ in what they accept.

Nothing is known beforehand of an endpoint or a model. A request that is refused is put
otherwise, by what the refusal names: reasoning models take `max_completion_tokens` and no
temperature, and many servers know no JSON schema.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from tasks.llm.config import LLMConfig
from tasks.llm.request import Messages, Request

# From the strictest to none: what is refused gives way to the next.
FORMATS = ("json_schema", "json_object", "text")


@dataclass(frozen=True)
class Dialect:
    """One way to put a request.

    Attributes:
        response_format: One of FORMATS.
        length_field: Name of the field for the longest reply.
        temperature: Whether the temperature is sent.
        fixed: Whether `response_format` was asked for and may not change.
    """

    response_format: str = FORMATS[0]
    length_field: str = "max_tokens"
    temperature: bool = True
    fixed: bool = False

    def body(self, request: Request, config: LLMConfig) -> dict[str, Any]:
        """Return the body of a chat completion's request."""
        body: dict[str, Any] = {
            "model": config.model,
            "messages": self._messages(request),
            self.length_field: config.max_tokens,
            **config.extra_body,
        }
        if self.temperature:
            body["temperature"] = config.temperature
        if request.sample:
            body["seed"] = request.sample
        if self.response_format == "json_object":
            body["response_format"] = {"type": "json_object"}
        elif self.response_format == "json_schema":
            body["response_format"] = _json_schema(request)
        return body

    def _messages(self, request: Request) -> Messages:
        """Return the messages; they tell the form where the endpoint cannot be told it."""
        if self.response_format == "json_schema":
            return request.messages
        schema = json.dumps(request.response_format.model_json_schema(), ensure_ascii=False)
        told = f"Reply with one JSON object of this schema, and nothing else: {schema}"
        *before, last = request.messages
        return [*before, {**last, "content": f"{last['content']}\n\n{told}"}]

    def after(self, refusal: str) -> "Dialect | None":
        """Return how to put a request that was refused, or None where nothing is left.

        Args:
            refusal: What the endpoint said; where it names no field, the form is at fault.
        """
        if "max_completion_tokens" in refusal and self.length_field == "max_tokens":
            return replace(self, length_field="max_completion_tokens")
        if "temperature" in refusal and self.temperature:
            return replace(self, temperature=False)
        position = FORMATS.index(self.response_format)
        if self.fixed or position + 1 == len(FORMATS):
            return None
        return replace(self, response_format=FORMATS[position + 1])


def first_dialect(config: LLMConfig) -> Dialect:
    """Return how a request is put before anything is known of the endpoint."""
    if config.structured == "auto":
        return Dialect()
    return Dialect(response_format=config.structured, fixed=True)


def _json_schema(request: Request) -> dict[str, Any]:
    form = request.response_format
    schema = {"name": form.__name__, "schema": strict(form.model_json_schema()), "strict": True}
    return {"type": "json_schema", "json_schema": schema}


def strict(schema: Any) -> Any:
    """Return a schema as OpenAI's strict mode wants it: all fields required, none besides.

    Source: OpenAI, "Structured model outputs", supported schemas.
    """
    if isinstance(schema, list):
        return [strict(part) for part in schema]
    if not isinstance(schema, Mapping):
        return schema
    inner = {name: strict(part) for name, part in schema.items() if name != "default"}
    if isinstance(schema.get("properties"), Mapping):
        inner["properties"] = {n: strict(part) for n, part in schema["properties"].items()}
        inner |= {"required": list(schema["properties"]), "additionalProperties": False}
    return inner
