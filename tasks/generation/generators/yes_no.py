"""A language model writes a question that is answered with yes or with no, as it is told."""

import re
from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import BaseModel, Field

from data_contracts.base import Result, digest
from tasks.generation.asking import PassageGenerator, as_form, one_line, place
from tasks.generation.base import GENERATORS, Candidate, Subject
from tasks.generation.evidence import quoted
from tasks.grounding import questions
from tasks.grounding.claims import content_sequence, missing_number

_YES_NO = re.compile(r"^(?:yes|no)\b[\s,.:;-]*", re.IGNORECASE)
_NEGATION = re.compile(r"\b(?:not|no|never|without|cannot|none|\w+n't)\b", re.IGNORECASE)


class YesNoReply(Result):
    """What the model is to reply."""

    evidence: str
    question: str
    explanation: str


@GENERATORS.register
class YesNoGenerator(PassageGenerator):
    """Asks a language model for yes/no questions; half of them, by hash, to be answered no."""

    generator: Literal["yes_no"] = "yes_no"
    yes: str = Field("Yes", description="How an answer of yes begins.", min_length=1)
    no: str = Field("No", description="How an answer of no begins.", min_length=1)

    response_format: ClassVar[type[BaseModel]] = YesNoReply

    def is_yes(self, subject: Subject) -> bool:
        """Whether the answer is to be yes; fixed for a chunk."""
        return int(digest(["yes_no", subject.chunk.chunk_id], length=2), 16) % 2 == 0

    def wishes(self, subject: Subject) -> Sequence[str]:
        """Return which of the two answers must be the right one."""
        return (f"The right answer must be: {'yes' if self.is_yes(subject) else 'no'}.",)

    def parse(self, reply: BaseModel, subject: Subject) -> Sequence[Candidate]:
        """Return the candidate; a question to be answered no may name what is not there."""
        said = as_form(reply, YesNoReply)
        start, end = quoted(said.evidence, subject.chunk)
        question = one_line(said.question)
        because = re.sub(
            r"^(?:yes|no)\b[\s,.:;-]*", "", one_line(said.explanation), flags=re.IGNORECASE
        )
        because = because[:1].upper() + because[1:]
        yes = self.is_yes(subject)
        flaw = _flaw_of_yes if yes else _flaw_of_no
        return [
            Candidate(
                "yes_no",
                question,
                f"{self.yes if yes else self.no}. {because}".strip(),
                start,
                end,
                flaw=flaw(question, subject.chunk.text[start:end], place(subject.chunk)),
                asks=None if yes else "",
                claim=because,
            )
        ]


def _flaw_of_yes(question: str, evidence: str, names: str) -> str:
    number = missing_number(question, f"{names} . {evidence}")
    if number:
        return f"it says {number!r}, which the evidence does not"
    if bool(_NEGATION.search(question)) != bool(_NEGATION.search(evidence)):
        return "question and evidence differ in a negation"
    return ""


def _flaw_of_no(question: str, evidence: str, names: str) -> str:
    fault = questions.malformed(question) or questions.points_at_text(question)
    if fault:
        return fault
    asked, said = set(content_sequence(question)), set(content_sequence(f"{names} {evidence}"))
    negated = bool(_NEGATION.search(question)) != bool(_NEGATION.search(evidence))
    if not asked - said and not negated:
        return "all of it stands in the evidence, so the answer is hardly no"
    if not asked & set(content_sequence(evidence)):
        return "no word of it is in the evidence"
    return ""
