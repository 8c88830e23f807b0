"""A language model answers from a passage and rewrites the answer in the house style."""

import re
from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import BaseModel, Field

from data_contracts.base import Result
from tasks.generation.asking import PassageGenerator, as_form, one_line
from tasks.generation.base import GENERATORS, Candidate, Subject
from tasks.generation.evidence import quoted
from tasks.grounding.claims import content_sequence, missing_number, numbers
from tasks.llm.structured import InvalidReply
from tasks.text.facts import facts
from tasks.text.normalise import normalise

_GUIDE = (
    "Write to the reader as to a colleague: say 'you'. Use short sentences and everyday words. "
    "Begin with what the reader must do or know. Do not begin with a greeting."
)

# Words that a restyled answer must still share with the plain one.
_KEPT = 0.4

_NEGATION = re.compile(r"\b(?:not|no|never|without|cannot|none|\w+n't)\b", re.IGNORECASE)


class StyleReply(Result):
    """What the model is to reply: the plain answer first, which is what is checked."""

    evidence: str
    question: str
    answer: str
    styled_answer: str


@GENERATORS.register
class StyleGenerator(PassageGenerator):
    """Asks a language model for an answer in a given style whose facts are unchanged."""

    generator: Literal["style"] = "style"
    guide: str = Field(_GUIDE, min_length=1, description="The style guide, in plain words.")

    response_format: ClassVar[type[BaseModel]] = StyleReply

    def wishes(self, subject: Subject) -> Sequence[str]:
        """Return the style guide."""
        return (f"Style guide for the styled answer: {self.guide}",)

    def parse(self, reply: BaseModel, subject: Subject) -> Sequence[Candidate]:
        """Return the candidate; the plain answer is judged, the styled one compared with it."""
        said = as_form(reply, StyleReply)
        span = quoted(said.evidence, subject.chunk)
        plain_answer, styled = said.answer.strip(), said.styled_answer.strip()
        if normalise(plain_answer) == normalise(styled):
            raise InvalidReply('its "styled_answer" is the "answer" again')
        question = one_line(said.question)
        flaw = _changed(plain_answer, styled, f"{question} {subject.chunk.passage}")
        return [Candidate("style", question, styled, *span, flaw=flaw, claim=plain_answer)]


def _changed(plain_answer: str, styled: str, known: str) -> str:
    """Return which fact the styled answer changes, or nothing."""
    number = missing_number(styled, plain_answer)
    if number or {n[0] for n in numbers(plain_answer)} != {n[0] for n in numbers(styled)}:
        return "the styled answer changes a number"
    new = facts(styled) - set(normalise(f"{known} {plain_answer}").split())
    if new:
        return f"the styled answer names {min(new)!r}, which the passage does not"
    if len(_NEGATION.findall(plain_answer)) != len(_NEGATION.findall(styled)):
        return "the styled answer changes a negation"
    words = set(content_sequence(plain_answer))
    if words and len(words & set(content_sequence(styled))) < _KEPT * len(words):
        return "the styled answer says something else"
    return ""
