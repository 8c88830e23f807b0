"""A language model writes a question with one right option and several wrong ones."""

from collections.abc import Sequence
from string import ascii_uppercase
from typing import ClassVar, Literal

from pydantic import BaseModel, Field

from data_contracts.base import Result, digest
from tasks.generation.asking import PassageGenerator, as_form, one_line
from tasks.generation.base import GENERATORS, Candidate, Subject
from tasks.generation.evidence import quoted
from tasks.llm.structured import InvalidReply
from tasks.text.normalise import normalise

# A right option so many times longer than the longest wrong one can be told by its length.
_STANDS_OUT = 2.0


class MultipleChoiceReply(Result):
    """What the model is to reply."""

    evidence: str
    question: str
    answer: str
    distractors: list[str]


@GENERATORS.register
class MultipleChoiceGenerator(PassageGenerator):
    """Asks a language model for a multiple-choice question; the options' order is by hash."""

    generator: Literal["multiple_choice"] = "multiple_choice"
    options: int = Field(4, description="Options, the right one included.", ge=2, le=8)

    response_format: ClassVar[type[BaseModel]] = MultipleChoiceReply

    def wishes(self, subject: Subject) -> Sequence[str]:
        """Return the number of wrong options wanted."""
        return (f'Number of "distractors": {self.options - 1}.',)

    def parse(self, reply: BaseModel, subject: Subject) -> Sequence[Candidate]:
        """Return the candidate if its options are distinct and one of them is right."""
        said = as_form(reply, MultipleChoiceReply)
        span = quoted(said.evidence, subject.chunk)
        stem, right = one_line(said.question), one_line(said.answer)
        wrong = [one_line(text) for text in said.distractors if text.strip()]
        if len(wrong) != self.options - 1:
            raise InvalidReply(f'its "distractors" are not {self.options - 1}')
        if len({normalise(option) for option in [right, *wrong]}) != self.options:
            raise InvalidReply("two of its options are the same")
        options = sorted([right, *wrong], key=lambda o: digest([subject.chunk.chunk_id, stem, o]))
        lettered = [f"{ascii_uppercase[n]}. {option}" for n, option in enumerate(options)]
        return [
            Candidate(
                "multiple_choice",
                "\n".join([stem, *lettered]),
                lettered[options.index(right)],
                *span,
                flaw=_flaw(right, wrong, said.evidence),
                asks=stem,
                claim=right,
            )
        ]


def _flaw(right: str, wrong: Sequence[str], evidence: str) -> str:
    said = f" {normalise(evidence)} "
    for option in wrong:
        if f" {normalise(option)} " in said:
            return f"the option {option!r} is in the evidence, too"
    if len(right) > _STANDS_OUT * max(map(len, wrong)) and len(right.split()) > 4:
        return "the right option stands out by its length"
    return ""
