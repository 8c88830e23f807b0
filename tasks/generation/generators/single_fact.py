"""A language model asks for one fact of a passage and quotes the sentence that holds it."""

from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import BaseModel

from data_contracts.base import Result
from tasks.generation.asking import PassageGenerator, as_form, one_line
from tasks.generation.base import GENERATORS, Candidate, Subject
from tasks.generation.evidence import quoted


class SingleFactReply(Result):
    """What the model is to reply. The evidence comes first: it is what the rest is about."""

    evidence: str
    question: str
    answer: str


@GENERATORS.register
class SingleFactGenerator(PassageGenerator):
    """Asks a language model for a question, its answer and the evidence.

    For models that follow instructions; the embedded one needs `answer_first`.
    """

    generator: Literal["single_fact"] = "single_fact"

    response_format: ClassVar[type[BaseModel]] = SingleFactReply

    def parse(self, reply: BaseModel, subject: Subject) -> Sequence[Candidate]:
        """Return the candidate if its evidence stands in the chunk."""
        said = as_form(reply, SingleFactReply)
        span = quoted(said.evidence, subject.chunk)
        question, answer = one_line(said.question), said.answer.strip()
        return [Candidate("single_fact", question, answer, *span)]
