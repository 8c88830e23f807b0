"""ShareGPT: conversations of `from` and `value`."""

from typing import Any, ClassVar, Literal

from pydantic import Field

from tasks.interchange.conversation import Conversation, Role, Turn, turns_of
from tasks.interchange.format import FORMATS, Fields, Row, WritableFormat, texts
from tasks.modeling.chat import prompt_messages

# Who speaks, in the spellings of public datasets.
_ROLES: dict[str, Role] = {
    "system": "system",
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "assistant": "assistant",
    "chatgpt": "assistant",
    "bing": "assistant",
    "bard": "assistant",
    "model": "assistant",
}
_NAMES = {"system": "system", "user": "human", "assistant": "gpt"}


@FORMATS.register
class ShareGPTFormat(WritableFormat):
    """Conversations as ShareGPT, FastChat, Axolotl and LLaMA-Factory have them."""

    format: Literal["sharegpt"] = Field("sharegpt", description="Conversations of from and value.")

    kind: ClassVar[str] = "chat"
    shape: ClassVar[str] = (
        '{"conversations": [{"from": "human", "value": "..."}, {"from": "gpt", "value": "..."}]}'
    )
    note: ClassVar[str] = (
        "A passage stands before its question in the human turn. Trainers that learn every "
        "answer of a conversation also learn the earlier ones: tell them to learn the last."
    )

    def matches(self, record: Row) -> bool:
        """Return whether there is a list of turns with `from`."""
        turns = _listed(record)
        return isinstance(turns, list) and any(
            isinstance(turn, dict) and ("from" in turn or "role" in turn) for turn in turns
        )

    def read(self, record: Row) -> Conversation:
        """Return the turns; a `system` beside them comes first."""
        listed = _listed(record)
        keys = ("from", "value")
        if isinstance(listed, list) and listed and isinstance(listed[0], dict):
            keys = keys if "from" in listed[0] else ("role", "content")
        turns = turns_of(listed, *keys, _ROLES)
        beside = record.get("system") or record.get("system_prompt")
        if isinstance(beside, str) and beside.strip() and turns[0].role != "system":
            turns = (Turn("system", beside), *turns)
        return Conversation(turns)

    def record(self, row: Row, fields: Fields) -> dict[str, Any]:
        """Return the conversation, named after the row."""
        turns = [
            {"from": _NAMES[message["role"]], "value": message["content"]}
            for message in [*prompt_messages(row), {"role": "assistant", "content": row["answer"]}]
        ]
        return {"id": row["example_id"], "conversations": turns}

    def features(self, fields: Fields) -> list[dict[str, Any]]:
        """Return the types of a name and a list of turns."""
        return [*texts("id"), {"name": "conversations", "list": texts("from", "value")}]


def _listed(record: Row) -> Any:
    return record.get("conversations", record.get("conversation"))
