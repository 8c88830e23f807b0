"""What the augmenters with a language model have in common: a row as data, a row back."""

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from string import Template
from typing import ClassVar

from pydantic import BaseModel, Field

from data_contracts.base import Result, digest
from tasks.augmentation.augmenter import Example, LLMAugmenter, Outcome, Variant
from tasks.llm.logged import LoggedModel
from tasks.llm.request import Complete, Messages
from tasks.llm.structured import InvalidReply, Reply
from tasks.text.normalise import normalise

# A straight mark within a text ends the string of a small model's JSON: it never escapes it.
_STRAIGHT, _CURLY = re.compile(r'"([^"]*)"'), re.compile("[\u201c\u201d]")

_PROMPTS = Path(__file__).parent / "prompts"

# Shown as an earlier turn: a small model copies a form more surely than it follows one.
_SHOWN_ROW = ("How long may a library book be kept?", "It may be kept for 4 weeks.")
_SHOWN_REPLY = (
    '{"question": "For what time can a book of the library be borrowed?", '
    '"answer": "A borrower can keep it for 4 weeks."}'
)


class PairReply(Result):
    """What a model is to reply: the row, said again."""

    question: str
    answer: str


class SaidAgain(LLMAugmenter):
    """An augmenter that has a model say a whole row again."""

    form: ClassVar[type[BaseModel]] = PairReply

    kinds: tuple[str, ...] = Field(
        (), description="Kinds of rows to ask about; all but `skip_kinds` if none is named."
    )
    skip_kinds: tuple[str, ...] = Field(
        ("cloze", "multiple_choice", "out_of_scope", "unanswered", "conversation"),
        description="Kinds of rows not to ask about: those whose wording is the task itself, "
        "and those whose answer is that the passage does not say.",
    )
    most_words: int = Field(
        60,
        ge=1,
        description="Rows with longer answers are left alone: with `llm.max_tokens` at 160 they "
        "come back cut short.",
    )

    def applies(self, example: Example) -> bool:
        """Whether the row is of a wanted kind, and short enough to come back whole."""
        wanted = example.kind in self.kinds if self.kinds else example.kind not in self.skip_kinds
        return wanted and len(example.answer.split()) <= self.most_words

    def read(self, example: Example) -> Callable[[BaseModel], Variant]:
        """Return what reads a reply and refuses one that repeats the row."""

        def accept(reply: BaseModel) -> Variant:
            variant = _variant(reply, example)
            if normalise(variant.question) == normalise(example.question):
                raise InvalidReply("its question is the one that was to be said in other words")
            return variant

        return accept

    def read_any(self, example: Example) -> Callable[[BaseModel], Variant]:
        """Return what reads a reply and refuses only one that changes nothing at all."""

        def accept(reply: BaseModel) -> Variant:
            variant = _variant(reply, example)
            if (variant.question, variant.answer) == (example.question, example.answer):
                raise InvalidReply("it is not translated")
            return variant

        return accept

    def outcome(self, reply: Reply[Variant], complete: Complete) -> Outcome:
        """Return what came of a conversation."""
        kept = f"{reply.failure}; it lies in {reply.quarantine}" if reply.quarantine else None
        replied = (
            not reply.failure or bool(reply.quarantine) or not isinstance(complete, LoggedModel)
        )
        return Outcome(reply.value, reply.prompt_sha256, kept or reply.failure, replied)


def _variant(reply: BaseModel, example: Example) -> Variant:
    said = PairReply.model_validate(reply.model_dump())
    question, answer = " ".join(said.question.split()), said.answer.strip()
    if '"' in example.question + example.answer:
        question, answer = (_CURLY.sub('"', text) for text in (question, answer))
    if not question or not answer:
        raise InvalidReply("its question or its answer is empty")
    return Variant(question, answer)


def say_again(system: str, question: str, answer: str, *, shown: bool) -> Messages:
    """Return the instructions, then question and answer between marks.

    Args:
        system: The instructions.
        question: The question as it is worded now.
        answer: The answer as it is worded now.
        shown: Whether an example of rewording is shown before.
    """
    return [
        {"role": "system", "content": system},
        *(_SHOWN if shown else ()),
        {"role": "user", "content": fenced(question, answer)},
    ]


def fenced(question: str, answer: str) -> str:
    """Return question and answer between marks that neither can hold: a digest of both."""
    mark = digest([question, answer], length=12)
    question, answer = (_STRAIGHT.sub("\u201c\\1\u201d", text) for text in (question, answer))
    return (
        f"<question {mark}>\n{question}\n</question {mark}>\n\n"
        f"<answer {mark}>\n{answer}\n</answer {mark}>"
    )


@cache
def instructions(name: str, language: str = "") -> str:
    """Return a prompt, with the language it is to be translated into."""
    text = (_PROMPTS / f"{name}.md").read_text(encoding="utf-8").strip()
    return Template(text).safe_substitute(language=language)


_SHOWN: Messages = [
    {"role": "user", "content": fenced(*_SHOWN_ROW)},
    {"role": "assistant", "content": _SHOWN_REPLY},
]
