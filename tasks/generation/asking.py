"""How a passage is put before a language model: as data between marks, never as an order.

A kind's prompt is a file: the instructions, then an example (a passage, for some kinds a
second one, and the reply), which is shown as an earlier turn of the conversation.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import ClassVar, TypeVar

from pydantic import BaseModel, Field

from data_contracts.base import Result
from tasks.generation.base import Candidate, ChunkView, LLMGenerator, Subject
from tasks.generation.evidence import needs_both, quoted_pair
from tasks.grounding.claims import content_sequence
from tasks.llm.request import Messages
from tasks.llm.structured import InvalidReply

T = TypeVar("T", bound=BaseModel)

_PROMPTS = Path(__file__).parent / "prompts"

# Opens or closes the marks around a passage; in a passage's own text it is made harmless.
_MARK = re.compile(r"<(?=/?\s*passage)", re.IGNORECASE)


@dataclass(frozen=True)
class Prompt:
    """A kind's prompt.

    Attributes:
        instructions: What the model is told, the rules for every kind included.
        example: The example's passages.
        reply: The example's reply, as JSON.
    """

    instructions: str
    example: Subject
    reply: str


@cache
def prompt(name: str) -> Prompt:
    """Return the prompt of a kind."""
    own, *sections = (_PROMPTS / f"{name}.md").read_text(encoding="utf-8").split("\n## ")
    common = (_PROMPTS / "_common.md").read_text(encoding="utf-8")
    *passages, reply = (section.split("\n", 1)[1].strip() for section in sections)
    chunks = [_example_chunk(text, number) for number, text in enumerate(passages, start=1)]
    second = chunks[1] if len(chunks) > 1 else None
    instructions = f"{own.strip()}\n\n{common.strip()}"
    return Prompt(instructions, Subject(chunks[0], second=second), reply)


def _example_chunk(text: str, number: int) -> ChunkView:
    """Return an example's passage; its first line holds title and headings."""
    names, passage = text.split("\n", 1)
    title, *headings = names.split(" > ")
    return ChunkView(f"example-{number}", title, tuple(headings), passage.strip())


def place(chunk: ChunkView) -> str:
    """Return title and headings of a chunk on one line, each named once."""
    return " > ".join(dict.fromkeys(name for name in (chunk.name, *chunk.headings) if name))


def delimited(chunk: ChunkView, mark: str) -> str:
    """Return a passage between marks that its own text cannot forge."""
    content = f"Title and headings: {place(chunk)}\n\n{chunk.passage.strip()}"
    return f"<{mark}>\n{_MARK.sub('< ', content)}\n</{mark}>"


class PassageGenerator(LLMGenerator):
    """A generator whose prompt is `prompts/<its name>.md` and whose subject are passages."""

    fewest_words: int = Field(12, description="Shorter chunks are not asked about.", ge=1)

    def messages(self, subject: Subject) -> Messages | None:
        """Return the instructions and an example, then the passages and what is wished for."""
        if any(len(chunk.text.split()) < self.fewest_words for chunk in subject.sources):
            return None
        shown = prompt(self.generator)
        return [
            {"role": "system", "content": shown.instructions},
            {"role": "user", "content": self._ask(shown.example)},
            {"role": "assistant", "content": shown.reply},
            {"role": "user", "content": self._ask(subject)},
        ]

    def _ask(self, subject: Subject) -> str:
        chunks = subject.sources
        marks = ["passage"] if len(chunks) == 1 else ["passage_1", "passage_2"]
        passages = [delimited(chunk, mark) for chunk, mark in zip(chunks, marks, strict=True)]
        return "\n\n".join([*passages, *self.wishes(subject), "Reply with the JSON object."])

    def wishes(self, subject: Subject) -> Sequence[str]:
        """Return what is asked for in this subject's case beyond the instructions."""
        return ()

    def shown_questions(self) -> tuple[str, ...]:
        """Return the questions of the example, which a row must not copy."""
        values = self.response_format.model_validate_json(prompt(self.generator).reply)
        asked = values.model_dump().items()
        return tuple(str(value) for name, value in asked if "question" in name)

    def shown_subject(self) -> frozenset[str]:
        """Return the stems that the example's question and its passages have in common."""
        chunks = prompt(self.generator).example.sources
        there = content_sequence(" ".join(f"{place(c)} {c.text}" for c in chunks))
        return frozenset(there) & frozenset(content_sequence(" ".join(self.shown_questions())))


class PairReply(Result):
    """What a model is to reply about two passages: a statement of each makes the answer."""

    evidence_1: str
    evidence_2: str
    question: str
    side_1: str
    side_2: str


class PairGenerator(PassageGenerator):
    """A generator that asks about two passages of related documents."""

    response_format: ClassVar[type[BaseModel]] = PairReply

    def subject(
        self, chunk: ChunkView, partner: ChunkView | None, neighbours: Sequence[ChunkView]
    ) -> Subject | None:
        """Return the chunk with its partner, if it has one."""
        return Subject(chunk, second=partner) if partner is not None else None

    def parse(self, reply: BaseModel, subject: Subject) -> Sequence[Candidate]:
        """Return the candidate if both pieces of evidence stand where they should."""
        said = as_form(reply, PairReply)
        span = quoted_pair(said.evidence_1, said.evidence_2, subject)
        sides = (one_line(said.side_1), one_line(said.side_2))
        question, answer = one_line(said.question), " ".join(sides)
        flaw = needs_both(answer, subject)
        return [Candidate(self.generator, question, answer, *span, flaw=flaw, sides=sides)]


def as_form(reply: BaseModel, form: type[T]) -> T:
    """Return a reply as the form that its generator asked for.

    Raises:
        InvalidReply: One of its texts is empty.
        TypeError: It is of another form: another generator's reply was given.
    """
    if not isinstance(reply, form):
        raise TypeError(f"Expected a {form.__name__}, got a {type(reply).__name__}.")
    for name, value in reply:
        if isinstance(value, str) and not value.strip():
            raise InvalidReply(f'its "{name}" is empty')
    return reply


def one_line(text: str) -> str:
    """Return a text without line breaks and double spaces."""
    return " ".join(text.split())
