"""A language model asks and answers in a second language about the same passage."""

import re
from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import BaseModel, Field

from data_contracts.base import Result
from tasks.generation.asking import PassageGenerator, as_form, one_line
from tasks.generation.base import GENERATORS, Candidate, ChunkView, Subject
from tasks.generation.evidence import quoted
from tasks.llm.structured import InvalidReply
from tasks.text.normalise import normalise

_NAMES = {
    "ar": "Arabic",
    "de": "German",
    "en": "English",
    "es": "Spanish",
    "fr": "French",
    "it": "Italian",
    "ja": "Japanese",
    "nl": "Dutch",
    "pl": "Polish",
    "pt": "Portuguese",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "zh": "Chinese",
}


class CrossLingualReply(Result):
    """What the model is to reply: first in the passage's language, which can be checked."""

    evidence: str
    question: str
    answer: str
    translated_question: str
    translated_answer: str


@GENERATORS.register
class CrossLingualGenerator(PassageGenerator):
    """Asks a language model for question and answer in another language than the passage's.

    Question and answer in the passage's own language are judged by its words; of the
    translation only the figures can be checked without a model.
    """

    generator: Literal["cross_lingual"] = "cross_lingual"
    language: str = Field(
        "de", pattern=r"^[a-z]{2}$", description="Language of question and answer (ISO 639-1)."
    )

    response_format: ClassVar[type[BaseModel]] = CrossLingualReply

    def subject(
        self, chunk: ChunkView, partner: ChunkView | None, neighbours: Sequence[ChunkView]
    ) -> Subject | None:
        """Return the chunk, unless it is in the second language already."""
        return Subject(chunk) if chunk.language != self.language else None

    def wishes(self, subject: Subject) -> Sequence[str]:
        """Return the language of the translation."""
        name = _NAMES.get(self.language, self.language)
        return (f"Language of the translated question and answer: {name}.",)

    def parse(self, reply: BaseModel, subject: Subject) -> Sequence[Candidate]:
        """Return the candidate in the second language, judged by its original."""
        said = as_form(reply, CrossLingualReply)
        span = quoted(said.evidence, subject.chunk)
        question, answer = one_line(said.translated_question), said.translated_answer.strip()
        if normalise(question) == normalise(said.question):
            raise InvalidReply('its "translated_question" is not translated')
        figures = _figures(said.answer) == _figures(answer)
        return [
            Candidate(
                "cross_lingual",
                question,
                answer,
                *span,
                flaw="" if figures else "the translated answer has other figures",
                asks=one_line(said.question),
                claim=said.answer.strip(),
                language=self.language,
            )
        ]


def _figures(text: str) -> set[str]:
    """Return the numbers of a text, however a language groups their digits."""
    return set(re.findall(r"\d+", re.sub(r"(?<=\d)[.,  ](?=\d)", "", text)))
