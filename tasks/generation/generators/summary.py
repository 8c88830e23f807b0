"""A language model sums a passage up."""

from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import BaseModel, Field

from data_contracts.base import Result
from tasks.generation.asking import PassageGenerator, as_form, one_line, place
from tasks.generation.base import GENERATORS, Candidate, Subject
from tasks.generation.evidence import quoted_all
from tasks.llm.structured import InvalidReply


class SummaryReply(Result):
    """What the model is to reply."""

    key_sentences: list[str]
    summary: str


@GENERATORS.register
class SummaryGenerator(PassageGenerator):
    """Asks a language model for a summary and the sentences that it rests on."""

    needs_passage: ClassVar[bool] = True

    generator: Literal["summary"] = "summary"
    fewest_words: int = Field(60, description="Shorter chunks are not summed up.", ge=1)
    longest: float = Field(
        0.6, gt=0, lt=1, description="Longest summary, as a share of the passage's words."
    )

    response_format: ClassVar[type[BaseModel]] = SummaryReply

    def parse(self, reply: BaseModel, subject: Subject) -> Sequence[Candidate]:
        """Return the candidate if it is shorter than the passage and its sentences are there."""
        said = as_form(reply, SummaryReply)
        span = quoted_all(said.key_sentences, subject.chunk, "key_sentences")
        summary = one_line(said.summary)
        if len(summary.split()) > self.longest * len(subject.chunk.text.split()):
            raise InvalidReply('its "summary" is hardly shorter than the passage')
        name = place(subject.chunk).replace('"', "'")
        return [Candidate("summary", f'Summarise "{name}" briefly.', summary, *span, asks="")]
