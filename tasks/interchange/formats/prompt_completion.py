"""Prompt and completion: two texts, or two lists of messages."""

from typing import Any, ClassVar, Literal

from pydantic import Field

from tasks.interchange.conversation import ROLES, Conversation, Refused, Turn, excerpt, turns_of
from tasks.interchange.format import FORMATS, Fields, Row, WritableFormat, texts
from tasks.modeling.chat import prompt_messages

_BOTH = ("prompt", "completion")


@FORMATS.register
class PromptCompletionFormat(WritableFormat):
    """Prompt and completion, as texts or (TRL's conversational form) as messages."""

    format: Literal["prompt_completion"] = Field(
        "prompt_completion", description="A prompt and its completion."
    )

    kind: ClassVar[str] = "completion"
    shape: ClassVar[str] = '{"prompt": "...", "completion": "..."}'
    note: ClassVar[str] = (
        "Both are lists of messages, so that TRL applies the chat template and learns the "
        "completion only. A passage stands before its question in the user message."
    )

    def matches(self, record: Row) -> bool:
        """Return whether both are there."""
        return "prompt" in record and "completion" in record

    def read(self, record: Row) -> Conversation:
        """Return the prompt's turns and the completion as the answer."""
        prompt = _turns(record.get("prompt"), "prompt", "user")
        completion = _turns(record.get("completion"), "completion", "assistant")
        return Conversation((*prompt, *completion), only_last=True)

    def record(self, row: Row, fields: Fields) -> dict[str, Any]:
        """Return the messages before the answer, and the answer."""
        prompt = [{"role": m["role"], "content": m["content"]} for m in prompt_messages(row)]
        return {
            "prompt": prompt,
            "completion": [{"role": "assistant", "content": row["answer"]}],
        }

    def features(self, fields: Fields) -> list[dict[str, Any]]:
        """Return the types of two lists of messages."""
        return [{"name": name, "list": texts("role", "content")} for name in _BOTH]


def _turns(value: Any, name: str, role: Literal["user", "assistant"]) -> tuple[Turn, ...]:
    if isinstance(value, list):
        return turns_of(value, "role", "content", ROLES)
    if value is not None and not isinstance(value, str):
        raise Refused("wrong_form", f"{name} must be text or messages, got {excerpt(value)}.")
    return (Turn(role, value or ""),)
