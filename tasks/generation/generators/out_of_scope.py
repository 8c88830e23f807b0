"""A language model asks what a passage does not answer; the answer is a refusal."""

from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import BaseModel, Field

from data_contracts.base import Result
from tasks.generation.asking import PassageGenerator, as_form, one_line
from tasks.generation.base import GENERATORS, Candidate, Subject
from tasks.generation.refusals import REFUSALS, choose_refusal


class OutOfScopeReply(Result):
    """What the model is to reply: first what is there and what is not."""

    covers: str
    missing: str
    question: str


@GENERATORS.register
class OutOfScopeGenerator(PassageGenerator):
    """Asks a language model for a question near the passage that the passage does not answer.

    Without a model that judges answerability, only a sentence that holds nearly all words of
    the question is taken as a sign that it is answered after all.
    """

    refuses: ClassVar[bool] = True
    needs_passage: ClassVar[bool] = True

    generator: Literal["out_of_scope"] = "out_of_scope"
    refusals: tuple[str, ...] = Field(
        REFUSALS, min_length=1, description="Wordings of the refusal, chosen by hash."
    )

    response_format: ClassVar[type[BaseModel]] = OutOfScopeReply

    def parse(self, reply: BaseModel, subject: Subject) -> Sequence[Candidate]:
        """Return the question with a refusal as its answer."""
        question = one_line(as_form(reply, OutOfScopeReply).question)
        answer = choose_refusal(self.refusals, question)
        end = len(subject.chunk.text)
        return [Candidate("out_of_scope", question, answer, 0, end, refuses=True)]
