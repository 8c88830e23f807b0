"""Alpaca: an instruction, an input and an output."""

from typing import Any, ClassVar, Literal

from pydantic import Field

from tasks.interchange.conversation import Conversation, Refused, Turn, excerpt, text_of
from tasks.interchange.format import FORMATS, Fields, Row, WritableFormat, texts
from tasks.interchange.history import pairs_of, read_history

# Dolly has the same three under other names.
_INPUTS = ("input", "context")
_OUTPUTS = ("output", "response")


@FORMATS.register
class AlpacaFormat(WritableFormat):
    """Instruction, input and output; the input becomes the passage given with the question."""

    format: Literal["alpaca"] = Field("alpaca", description="Instruction, input and output.")

    kind: ClassVar[str] = "instruction"
    shape: ClassVar[str] = '{"instruction": "...", "input": "...", "output": "..."}'
    note: ClassVar[str] = (
        "The passage is the `input`; most trainers put it behind the instruction, Temper before. "
        "Where some row has them, `system` and `history` (pairs of question and answer) are "
        "there, as LLaMA-Factory names them."
    )

    def matches(self, record: Row) -> bool:
        """Return whether instruction and output are there."""
        return "instruction" in record and any(name in record for name in _OUTPUTS)

    def read(self, record: Row) -> Conversation:
        """Return system, history, instruction and output as turns, the input as context."""
        question, answer = _text(record, ("instruction",)), _text(record, _OUTPUTS)
        context = _text(record, _INPUTS)
        if not question.strip() and context.strip():  # all of it written into the input
            question, context = context, ""
        turns = (
            *(Turn("system", s) for s in [_text(record, ("system",))] if s.strip()),
            *read_history(record.get("history")),
            Turn("user", question),
            Turn("assistant", answer),
        )
        return Conversation(turns, context if context.strip() else None, only_last=True)

    def needed(self, row: Row) -> Fields:
        """Return which of system and history the row has."""
        system, pairs = pairs_of(row, "alpaca")
        return frozenset(name for name, value in (("system", system), ("history", pairs)) if value)

    def record(self, row: Row, fields: Fields) -> dict[str, Any]:
        """Return instruction, input and output, and what else the export needs."""
        system, pairs = pairs_of(row, "alpaca")
        record = {
            "instruction": row["question"],
            "input": row["context"] or "",
            "output": row["answer"],
        }
        optional = {"system": system, "history": pairs}
        return record | {name: value for name, value in optional.items() if name in fields}

    def features(self, fields: Fields) -> list[dict[str, Any]]:
        """Return the types: texts, and pairs of texts."""
        names = [name for name in ("system",) if name in fields]
        pairs = [{"name": "history", "list": {"list": "string"}}] if "history" in fields else []
        return [*texts("instruction", "input", "output", *names), *pairs]


def _text(record: Row, names: tuple[str, ...]) -> str:
    for name in names:
        value = record.get(name)
        if value is not None:
            if not isinstance(value, str):
                raise Refused("wrong_form", f"{name} must be text, got {excerpt(value)}.")
            return text_of(value)
    return ""
