"""A language model asks for one fact of a passage and quotes the sentence that holds it."""

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import BaseModel, Field

from data_contracts.base import Result
from tasks.generation.base import (
    GENERATORS,
    Candidate,
    ChunkView,
    InvalidReply,
    LLMGenerator,
    Messages,
)

_PROMPT = Path(__file__).parent.parent / "prompts" / "single_fact.md"


class SingleFactReply(Result):
    """What the model is to reply. The evidence comes first: it is what the rest is about."""

    evidence: str
    question: str
    answer: str


@GENERATORS.register
class SingleFactGenerator(LLMGenerator):
    """Asks a language model for a question, its answer and the evidence.

    For models that follow instructions; the embedded one needs `answer_first`.
    """

    generator: Literal["single_fact"] = "single_fact"
    fewest_words: int = Field(12, description="Shorter chunks are not asked about.", ge=1)

    response_format: ClassVar[type[BaseModel]] = SingleFactReply

    def messages(self, chunk: ChunkView) -> Messages | None:
        """Return instructions and the passage."""
        if len(chunk.text.split()) < self.fewest_words:
            return None
        place = " > ".join(dict.fromkeys((chunk.name, *chunk.headings)))
        passage = f"Title and headings: {place}\n\nPassage:\n{chunk.passage.strip()}"
        return [
            {"role": "system", "content": _instructions()},
            {"role": "user", "content": passage},
        ]

    def parse(self, reply: BaseModel, chunk: ChunkView) -> Sequence[Candidate]:
        """Return the candidate if its evidence stands in the chunk."""
        values = SingleFactReply.model_validate(reply.model_dump())
        span = find_quote(values.evidence, chunk.text)
        if span is None:
            raise InvalidReply('its "evidence" is not copied from the passage word by word')
        question, answer = values.question.strip(), values.answer.strip()
        if not question or not answer:
            raise InvalidReply('its "question" or "answer" is empty')
        return [Candidate("single_fact", question, answer, *span)]


def find_quote(quote: str, text: str) -> tuple[int, int] | None:
    """Return where a quote of at least three words stands, white space and case aside."""
    words = quote.split()
    if len(words) < 3:
        return None
    match = re.search(r"\s+".join(map(re.escape, words)), text, re.IGNORECASE)
    return match.span() if match else None


@cache
def _instructions() -> str:
    return _PROMPT.read_text(encoding="utf-8").strip()
