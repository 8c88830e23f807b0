"""Earlier turns in the two shapes they have in files: messages, or pairs of texts."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tasks.interchange.conversation import ROLES, Refused, Turn, excerpt, turns_of
from tasks.interchange.format import CannotHold, Row


def read_history(value: Any) -> tuple[Turn, ...]:
    """Return the turns of a history: messages with roles, pairs, or JSON of either.

    Raises:
        Refused: It is something else.
    """
    if isinstance(value, str):
        value = _from_json(value)
    if not value:
        return ()
    if isinstance(value, list) and all(_is_pair(item) for item in value):
        return tuple(turn for question, answer in value for turn in _pair(question, answer))
    if isinstance(value, list) and isinstance(value[0], Mapping) and "from" in value[0]:
        return turns_of(value, "from", "value", {"human": "user", "gpt": "assistant", **ROLES})
    return turns_of(value, "role", "content", ROLES)


def _pair(question: str, answer: str) -> tuple[Turn, Turn]:
    return Turn("user", question), Turn("assistant", answer)


def _from_json(text: str) -> Any:
    if not text.strip():
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Refused(
            "wrong_form", f"The history must be a list or JSON of one, got {excerpt(text)}."
        ) from error


def _is_pair(item: Any) -> bool:
    is_sequence = isinstance(item, Sequence) and not isinstance(item, str)
    return is_sequence and len(item) == 2 and all(isinstance(text, str) for text in item)


def pairs_of(row: Row, name: str) -> tuple[str, list[list[str]]]:
    """Return a row's system text and its earlier turns as pairs of question and answer.

    Raises:
        CannotHold: The history is not made of such pairs.
    """
    history = list(row["history"])
    system = ""
    if history and history[0]["role"] == "system":
        system = history.pop(0)["content"]
    if [turn["role"] for turn in history] != ["user", "assistant"] * (len(history) // 2):
        raise CannotHold(
            f"Row {row['example_id']} has a history that is not made of pairs of question and "
            f"answer; {name} cannot hold it. Export to openai, sharegpt or parquet instead."
        )
    texts = [turn["content"] for turn in history]
    return system, [list(pair) for pair in zip(texts[::2], texts[1::2], strict=True)]
