"""A language model asks why or how, and answers in several sentences."""

import re
from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import BaseModel, Field

from data_contracts.base import Result
from tasks.generation.asking import PassageGenerator, as_form, one_line
from tasks.generation.base import GENERATORS, Candidate, Subject
from tasks.generation.evidence import quoted_all
from tasks.llm.structured import InvalidReply

# "How many" asks for a fact, not for an explanation.
_EXPLAINS = re.compile(r"\b(?:why|how)\b(?! (?:many|much|long|often|far|old)\b)", re.IGNORECASE)

_SENTENCE_END = re.compile(r"[.!?](?=\s|$)")


class ExplanatoryReply(Result):
    """What the model is to reply."""

    evidence: list[str]
    question: str
    answer: str


@GENERATORS.register
class ExplanatoryGenerator(PassageGenerator):
    """Asks a language model for a why or how question with an answer of several sentences."""

    generator: Literal["explanatory"] = "explanatory"
    fewest_words: int = Field(40, description="Shorter chunks are not asked about.", ge=1)
    fewest_sentences: int = Field(2, description="Fewest sentences of an answer.", ge=1)

    response_format: ClassVar[type[BaseModel]] = ExplanatoryReply

    def parse(self, reply: BaseModel, subject: Subject) -> Sequence[Candidate]:
        """Return the candidate if all its evidence stands in the chunk."""
        said = as_form(reply, ExplanatoryReply)
        span = quoted_all(said.evidence, subject.chunk)
        question, answer = one_line(said.question), said.answer.strip()
        if not _EXPLAINS.search(question):
            raise InvalidReply('its "question" does not ask why or how')
        if len(_SENTENCE_END.findall(answer)) < self.fewest_sentences:
            raise InvalidReply(f'its "answer" has fewer than {self.fewest_sentences} sentences')
        return [Candidate("explanatory", question, answer, *span)]
