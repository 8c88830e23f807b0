"""Chat messages as OpenAI's API and most trainers take them."""

from typing import Any, ClassVar, Literal

from pydantic import Field

from tasks.interchange.conversation import ROLES, Conversation, Role, turns_of
from tasks.interchange.format import FORMATS, Fields, Row, WritableFormat, texts
from tasks.modeling.chat import prompt_messages

# OpenAI's newer name for the system message.
_ROLES: dict[str, Role] = {**ROLES, "developer": "system"}


@FORMATS.register
class OpenAIFormat(WritableFormat):
    """Chat messages with roles, as OpenAI's fine-tuning API takes them."""

    format: Literal["openai"] = Field("openai", description="Chat messages with roles.")

    kind: ClassVar[str] = "chat"
    shape: ClassVar[str] = (
        '{"messages": [{"role": "user", "content": "..."}, '
        '{"role": "assistant", "content": "..."}]}'
    )
    note: ClassVar[str] = (
        "A passage stands before its question in the user message. Where there are earlier "
        "answers, they carry `weight: 0`: only the last answer of a record is to be learned."
    )

    def matches(self, record: Row) -> bool:
        """Return whether there is a list of messages with roles."""
        messages = record.get("messages")
        return isinstance(messages, list) and any(
            isinstance(message, dict) and "role" in message for message in messages
        )

    def read(self, record: Row) -> Conversation:
        """Return the messages as turns; an assistant message of weight 0 is not learned."""
        return Conversation(turns_of(record.get("messages"), "role", "content", _ROLES))

    def needed(self, row: Row) -> Fields:
        """Return `weight` if there are earlier answers, which are not to be learned."""
        earlier = any(turn["role"] == "assistant" for turn in row["history"])
        return frozenset({"weight"}) if earlier else frozenset()

    def record(self, row: Row, fields: Fields) -> dict[str, Any]:
        """Return history, question and answer; of the answers, only the last has weight 1."""
        answer = {"role": "assistant", "content": row["answer"]}
        messages = [_message(message, 0, fields) for message in prompt_messages(row)]
        return {"messages": [*messages, _message(answer, 1, fields)]}

    def features(self, fields: Fields) -> list[dict[str, Any]]:
        """Return the types of a list of messages."""
        weight = [{"name": "weight", "dtype": "int64"}] if "weight" in fields else []
        return [{"name": "messages", "list": [*texts("role", "content"), *weight]}]


def _message(message: Row, weight: int, fields: Fields) -> dict[str, Any]:
    plain = {"role": message["role"], "content": message["content"]}
    weighed = message["role"] == "assistant" and "weight" in fields
    return {**plain, "weight": weight} if weighed else plain
