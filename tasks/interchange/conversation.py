"""What every format is read into: the turns of a conversation."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from data_contracts.errors import Unusable

DropReason = Literal[
    "not_json",  # a line or an element that is no JSON
    "undecodable",  # bytes or characters in no encoding
    "wrong_form",  # not the shape that the format has
    "tool_call",  # calls a tool: such turns cannot be trained on here
    "not_text",  # pictures, sound, files
    "no_assistant_turn",  # nobody answers
    "no_question",  # an answer with nothing before it
    "wrong_order",  # user and assistant do not take turns
    "empty_question",
    "empty_answer",
    "too_short",  # the question, in characters
    "too_long",  # the question, the answer or the record, in characters
    "not_trained",  # the record itself says not to train on this answer
    "preference",  # a choice between answers, or an answer marked as a bad one
    "other_split",  # of a split that the source does not ask for
    "duplicate",  # the same conversation, up to the same answer
]

Role = Literal["system", "user", "assistant"]
ROLES: Mapping[str, Role] = {"system": "system", "user": "user", "assistant": "assistant"}


class Refused(Unusable):
    """A record that gives no row; it becomes a dropped row."""

    reason: DropReason

    def __init__(self, reason: DropReason, detail: str) -> None:
        super().__init__(reason, detail)


@dataclass(frozen=True)
class Turn:
    """One message.

    Attributes:
        role: Who speaks.
        content: What is said.
        trained: Whether the record wants this answer to be learned.
    """

    role: Role
    content: str
    trained: bool = True


@dataclass(frozen=True)
class Conversation:
    """The turns of one record.

    Attributes:
        turns: In order, a system turn first if there is one.
        context: The passage given with the last question.
        only_last: Whether only the last answer is to be learned: the format calls what
            comes before it the history.
        kind: What sort of question the record says it is.
        group: What the record says it was made from: a document, a page.
    """

    turns: tuple[Turn, ...]
    context: str | None = None
    only_last: bool = False
    kind: str | None = None
    group: str | None = None


@dataclass(frozen=True)
class Exchange:
    """One question and its answer, after what was said before.

    Attributes:
        history: Earlier turns.
        question: Without white space around it; so is `answer`.
        answer: What the assistant says.
        context: The passage given with the question.
        refusal: Why this is no row; None if it is one.
    """

    history: tuple[Turn, ...]
    question: str
    answer: str
    context: str | None = None
    refusal: Refused | None = None


def exchanges(conversation: Conversation) -> Iterator[Exchange]:
    """Yield an exchange for each assistant turn, those that give no row with the reason.

    After a fault (an empty turn, two turns of one side in a row), no later turn of the
    conversation gives a row: its history would be broken.

    Raises:
        Refused: There is no assistant turn.
    """
    system, turns = _system_first(conversation.turns)
    last = max((i for i, turn in enumerate(turns) if turn.role == "assistant"), default=None)
    if last is None:
        raise Refused("no_assistant_turn", "Nobody answers in this conversation.")
    history: list[Turn] = list(system)
    question: str | None = None
    fault: Refused | None = None
    for position, turn in enumerate(turns[: last + 1]):
        if turn.role != "assistant":
            fault = fault or _fault_of_question(question, turn)
            question = turn.content.strip()
            continue
        answer = turn.content.strip()
        refusal = fault or _fault_of_answer(question, answer, first=len(history) == len(system))
        context = conversation.context if position == last else None
        untrained = None if turn.trained else _UNTRAINED
        yield Exchange(tuple(history), question or "", answer, context, refusal or untrained)
        if refusal is not None and refusal.reason == "no_question":
            continue  # a greeting; what follows it can stand without it
        fault = refusal
        history += [Turn("user", question or ""), Turn("assistant", answer, turn.trained)]
        question = None


_UNTRAINED = Refused("not_trained", "The record gives this answer the weight 0.")


def _system_first(turns: Sequence[Turn]) -> tuple[list[Turn], Sequence[Turn]]:
    """Split a leading system turn off; an empty one says nothing and is left out."""
    if not turns or turns[0].role != "system":
        return [], turns
    return [turn for turn in turns[:1] if turn.content.strip()], turns[1:]


def _fault_of_question(open_question: str | None, turn: Turn) -> Refused | None:
    if turn.role == "system":
        return Refused("wrong_order", "A system message stands in the middle.")
    if open_question is not None:
        return Refused("wrong_order", "Two user turns follow each other.")
    if not turn.content.strip():
        return Refused("empty_question", "A user turn is empty.")
    return None


def _fault_of_answer(question: str | None, answer: str, first: bool) -> Refused | None:
    if question is None and first:
        return Refused("no_question", "The assistant speaks before anything was asked.")
    if question is None:
        return Refused("wrong_order", "Two assistant turns follow each other.")
    if not answer:
        return Refused("empty_answer", "The answer is empty.")
    return None


def turns_of(
    messages: Any, role_key: str, content_key: str, roles: Mapping[str, Role]
) -> tuple[Turn, ...]:
    """Return the turns of a list of messages.

    Args:
        messages: What the record holds.
        role_key: Key of the speaker.
        content_key: Key of what is said.
        roles: What the format calls the speakers.

    Raises:
        Refused: It is no such list, or some message is no text.
    """
    if not isinstance(messages, list | tuple) or not messages:
        raise Refused("wrong_form", f"Expected a list of messages, got {excerpt(messages)}.")
    return tuple(_turn(message, role_key, content_key, roles) for message in messages)


# What formats call the tools' side of a conversation.
_TOOL_ROLES = ("tool", "function", "function_call", "observation", "tool_call", "tool_response")


def _turn(message: Any, role_key: str, content_key: str, roles: Mapping[str, Role]) -> Turn:
    if not isinstance(message, Mapping) or role_key not in message:
        expected = f"{{{role_key!r}: ..., {content_key!r}: ...}}"
        raise Refused("wrong_form", f"Expected a message {expected}, got {excerpt(message)}.")
    role = str(message[role_key]).strip().lower()
    if role in _TOOL_ROLES or message.get("tool_calls") or message.get("function_call"):
        raise Refused("tool_call", "The conversation calls tools; only text can be trained on.")
    if role not in roles:
        known = ", ".join(roles)
        raise Refused("wrong_form", f"Unknown {role_key} {role!r}. Known: {known}.")
    weight = message.get("weight", message.get("loss_weight"))
    return Turn(roles[role], text_of(message.get(content_key)), weight is None or weight != 0)


def text_of(content: Any) -> str:
    """Return the text of a message: a string, or parts that are all text.

    Raises:
        Refused: It is something else.
    """
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise Refused("wrong_form", f"Expected text, got {excerpt(content)}.")
    return "".join(map(_part, content))


def _part(part: Any) -> str:
    if not isinstance(part, Mapping):
        raise Refused("wrong_form", f"Expected text, got {excerpt(part)}.")
    text = part.get("text", part.get("value") if part.get("type") == "text" else None)
    if not isinstance(text, str):
        raise Refused("not_text", f"A message holds a part of type {part.get('type', '?')!r}.")
    return text


def excerpt(value: Any, length: int = 120) -> str:
    """Return the start of a value as a message shows it."""
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= length else f"{text[:length]}..."
