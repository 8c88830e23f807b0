"""From records to rows of the EXAMPLE schema, kept or dropped with a reason."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa

from data_contracts.base import digest
from data_contracts.schemas import EXAMPLE, blank_row, dropped_schema
from tasks.interchange.config import DatasetSource, ImportConfig
from tasks.interchange.conversation import (
    Conversation,
    Exchange,
    Refused,
    Turn,
    excerpt,
    exchanges,
)
from tasks.interchange.format import Format
from tasks.interchange.record import Record
from tasks.interchange.sources import DatasetFile
from tasks.modeling.tokens import TokenCounter
from tasks.scrubbing.scrub import Scrubbed
from tasks.text.instructions import FLAG, find_instructions

GENERATOR = "imported"
# Rows are packed into Arrow in batches: as Python objects they take many times the memory.
_BATCH_ROWS = 2_000
# What a chat template puts around a message: 5 tokens in Gemma 3, ChatML and Llama 3, of
# which the last also begins with one more.
_TOKENS_OF_A_MESSAGE = 6
_BLANK = blank_row(EXAMPLE)


@dataclass(frozen=True)
class TextTools:
    """What is done with every text that comes in.

    Attributes:
        scrub: Takes personal data and secrets out.
        language: Tells the language of a text; None where it cannot be told.
        count: Counts tokens as the base model does.
    """

    scrub: Callable[[str], Scrubbed]
    language: Callable[[str], str | None]
    count: TokenCounter


@dataclass
class _Batches:
    """Rows on their way into a table."""

    schema: pa.Schema
    waiting: list[dict[str, Any]] = field(default_factory=list)
    packed: list[pa.RecordBatch] = field(default_factory=list)

    def add(self, row: dict[str, Any]) -> None:
        self.waiting.append(row)
        if len(self.waiting) >= _BATCH_ROWS:
            self._pack()

    def table(self) -> pa.Table:
        self._pack()
        return pa.Table.from_batches(self.packed, self.schema)

    def _pack(self) -> None:
        if self.waiting:
            self.packed.append(pa.RecordBatch.from_pylist(self.waiting, self.schema))
            self.waiting = []


class FileRows:
    """Collects the rows of one file.

    Args:
        file: The file.
        source: The source it belongs to.
        form: The form of its records.
        config: Turns and bounds.
        tools: What is done with every text.
    """

    def __init__(
        self,
        file: DatasetFile,
        source: DatasetSource,
        form: Format,
        config: ImportConfig,
        tools: TextTools,
    ) -> None:
        self.file, self.source, self.form = file, source, form
        self.config, self.tools = config, tools
        self._kept, self._dropped = _Batches(EXAMPLE), _Batches(dropped_schema(EXAMPLE))
        self.scrubbed: Counter[str] = Counter()

    def add(self, record: Record) -> None:
        """Make the rows of a record; each is kept, or dropped with its reason."""
        if record.value is None or record.problem is not None:
            problem = record.problem or Refused("wrong_form", "The record is empty.")
            self._drop(self._lineage(record, None), problem, record.raw)
            return
        try:
            self._check_split(record)
            conversation = self.form.read(record.value)
            _check_preference(record.value, conversation)
            clean = self._cleaned(conversation)
            found = list(exchanges(clean))
        except Refused as refusal:
            self._drop(self._lineage(record, None), refusal, excerpt(record.value, 300))
            return
        last_only = conversation.only_last or self.config.turns == "last"
        for exchange in found[-1:] if last_only else found:
            row = self._row(exchange, self._lineage(record, conversation), clean.kind)
            row["flags"] = [*row["flags"], *_flags(conversation, clean)]
            self._file(row, exchange.refusal)

    def tables(self) -> tuple[pa.Table, pa.Table]:
        """Return the rows kept and the rows dropped."""
        return self._kept.table(), self._dropped.table()

    def _check_split(self, record: Record) -> None:
        split = self._split(record)
        if self.source.splits and split not in self.source.splits:
            wanted = ", ".join(self.source.splits)
            raise Refused("other_split", f"It is of the split {split}; asked for: {wanted}.")

    def _split(self, record: Record) -> str | None:
        named = self.source.split_of(dict(record.value)) if record.value is not None else None
        return named or self.file.split

    def _lineage(self, record: Record, conversation: Conversation | None) -> dict[str, Any]:
        """Return a row that says where it comes from, and nothing yet of what it says."""
        split = self._split(record)
        return _BLANK | {
            "document_id": self._document(record, conversation) if conversation else None,
            "chunk_id": f"{self.file.name}#{record.number}",
            "generator": GENERATOR,
            "flags": [f"source_split:{split}"] if split else [],
        }

    def _document(self, record: Record, conversation: Conversation) -> str:
        """Return what the record was made from: its group, or what is asked in it.

        The answers are left out: a corrected answer must not move the record to another
        side of the split.
        """
        group = record.value.get(self.source.group) if record.value and self.source.group else None
        group = conversation.group if group is None else group
        if group is not None:
            return "group-" + digest([self.file.name.partition("/")[0], str(group)], length=16)
        asked = [turn.content for turn in conversation.turns if turn.role != "assistant"]
        return "record-" + digest([conversation.context, *asked], length=16)

    def _cleaned(self, conversation: Conversation) -> Conversation:
        context = conversation.context
        return replace(
            conversation,
            turns=tuple(
                replace(turn, content=self._scrub(turn.content)) for turn in conversation.turns
            ),
            context=self._scrub(context) if context else None,
        )

    def _scrub(self, text: str) -> str:
        scrubbed = self.tools.scrub(text)
        self.scrubbed.update(scrubbed.counts)
        return scrubbed.text

    def _row(self, exchange: Exchange, lineage: dict[str, Any], kind: str | None) -> dict[str, Any]:
        texts = {
            "history": [{"role": t.role, "content": t.content} for t in exchange.history],
            "context": exchange.context,
            "question": exchange.question,
            "answer": exchange.answer,
        }
        told = self.tools.language(f"{exchange.question}\n{exchange.answer}")
        return (
            lineage
            | texts
            | {
                "example_id": digest([GENERATOR, *texts.values()], length=16),
                "kind": self.source.kind or kind or _kind(self.form, exchange.history),
                "language": self.source.language or told,
            }
        )

    def _file(self, row: dict[str, Any], refusal: Refused | None) -> None:
        refusal = refusal or next(self._faults(row), None)
        if refusal is not None:
            self._drop(row, refusal, "")
            return
        self._kept.add(row)

    def _faults(self, row: dict[str, Any]) -> Iterator[Refused]:
        question, answer, config = row["question"], row["answer"], self.config
        size = sum(map(len, _texts(row)))
        if len(question) < config.min_question:
            yield Refused("too_short", f"The question has {len(question)} characters.")
        if len(question) > config.max_question:
            yield Refused("too_long", f"The question has {len(question)} characters.")
        if len(answer) > config.max_answer:
            yield Refused("too_long", f"The answer has {len(answer)} characters.")
        if size > config.max_row:
            yield Refused("too_long", f"The row has {size} characters, its history included.")
        elif (tokens := self._tokens(row)) > config.max_tokens:
            yield Refused("too_long", f"The row has about {tokens} tokens, its history included.")

    def _tokens(self, row: dict[str, Any]) -> int:
        messages = len(row["history"]) + 2
        return sum(self.tools.count(_texts(row))) + _TOKENS_OF_A_MESSAGE * messages

    def _drop(self, row: dict[str, Any], refusal: Refused, raw: str) -> None:
        shown = f" It reads: {self._scrub(raw)}" if raw else ""
        why = {
            "reason": refusal.reason,
            "detail": f"{row['chunk_id']}: {refusal.detail}{shown}",
            "duplicate_of": None,
            "similarity": None,
        }
        self._dropped.add(row | why)


def _check_preference(record: Mapping[str, Any], conversation: Conversation) -> None:
    """Refuse what teaches by comparison: its answers are not all meant to be imitated.

    Raises:
        Refused: The answer is to be chosen from several (DPO), or is marked as bad (KTO).
    """
    if record.get("label") is False:
        raise Refused("preference", "The record marks its answer as a bad one (label: false).")
    if "rejected" in record and conversation.turns[-1].role != "assistant":
        raise Refused("preference", "The record holds a chosen and a rejected answer.")


def _flags(conversation: Conversation, clean: Conversation) -> Iterator[str]:
    """Yield what a person should look at. Only a passage must not speak to the model."""
    if clean != conversation:
        yield "scrubbed"
    if clean.context and find_instructions(clean.context):
        yield FLAG


def _kind(form: Format, history: Sequence[Turn]) -> str:
    return "conversation" if any(turn.role == "user" for turn in history) else form.kind


def _texts(row: dict[str, Any]) -> list[str]:
    history = [turn["content"] for turn in row["history"]]
    return [*history, row["context"] or "", row["question"], row["answer"]]
