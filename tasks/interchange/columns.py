"""Rows with a column each for question, answer and what belongs to them."""

from typing import Any

from pydantic import Field

from tasks.interchange.conversation import Conversation, Refused, Turn, excerpt
from tasks.interchange.format import Format, Row
from tasks.interchange.history import read_history


class ColumnMap(Format):
    """Which column is what. Columns that the rows lack count as empty, but for two."""

    question: str = Field("question", description="Column of the question; needed.")
    answer: str = Field("answer", description="Column of the answer; needed.")
    context: str = Field("context", description="Column of the passage given with the question.")
    system: str = Field("system", description="Column of the system message.")
    history: str = Field(
        "history",
        description="Column of the earlier turns: messages with role and content, pairs of "
        "question and answer, or JSON of either.",
    )
    kind_column: str = Field("kind", description="Column that says what sort of question it is.")

    def matches(self, record: Row) -> bool:
        """Return whether the columns of question and answer are there."""
        return _found(record, self.question) is not None and _found(record, self.answer) is not None

    def read(self, record: Row) -> Conversation:
        """Return system, history, question and answer as turns."""
        for name in (self.question, self.answer):
            if _found(record, name) is None:
                columns = ", ".join(map(str, record))
                raise Refused("wrong_form", f"There is no column {name!r}. Columns: {columns}.")
        system, context = _text(record, self.system), _text(record, self.context)
        turns = (
            *(Turn("system", text) for text in [system] if text.strip()),
            *read_history(_value(record, self.history)),
            Turn("user", _text(record, self.question)),
            Turn("assistant", _text(record, self.answer)),
        )
        kind = _text(record, self.kind_column).strip()
        passage = context if context.strip() else None
        return Conversation(turns, passage, only_last=True, kind=kind or None)


def _found(record: Row, name: str) -> str | None:
    """Return the record's own spelling of a column's name."""
    if name in record:
        return name
    folded = name.strip().casefold()
    return next((key for key in record if str(key).strip().casefold() == folded), None)


def _value(record: Row, name: str) -> Any:
    key = _found(record, name)
    return None if key is None else record[key]


def _text(record: Row, name: str) -> str:
    value = _value(record, name)
    if value is None or value != value:  # NaN, as pandas writes an empty cell
        return ""
    if isinstance(value, str | int | float | bool):
        return str(value)
    raise Refused("wrong_form", f"Column {name!r} must hold text, got {excerpt(value)}.")
