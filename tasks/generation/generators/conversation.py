"""A language model writes a question and a follow-up that is understood only after it."""

from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import BaseModel, Field

from data_contracts.base import Result
from tasks.generation.asking import PassageGenerator, as_form, one_line
from tasks.generation.base import GENERATORS, Candidate, Subject
from tasks.generation.evidence import quoted
from tasks.grounding.claims import content_sequence


class ConversationReply(Result):
    """What the model is to reply."""

    evidence_1: str
    question_1: str
    answer_1: str
    evidence_2: str
    question_2: str
    follow_up: str
    answer_2: str


@GENERATORS.register
class ConversationGenerator(PassageGenerator):
    """Asks a language model for two turns; only the last answer is trained on.

    The follow-up is also spelled out in full, so that it can be judged like any question.
    """

    generator: Literal["conversation"] = "conversation"
    fewest_words: int = Field(30, description="Shorter chunks are not asked about.", ge=1)

    response_format: ClassVar[type[BaseModel]] = ConversationReply

    def parse(self, reply: BaseModel, subject: Subject) -> Sequence[Candidate]:
        """Return the candidate with the first turn as its history."""
        said = as_form(reply, ConversationReply)
        quoted(said.evidence_1, subject.chunk, "evidence_1")
        span = quoted(said.evidence_2, subject.chunk, "evidence_2")
        spelled_out, follow_up = one_line(said.question_2), one_line(said.follow_up)
        return [
            Candidate(
                "conversation",
                follow_up,
                said.answer_2.strip(),
                *span,
                flaw=_flaw(said.question_1, spelled_out, follow_up),
                asks=spelled_out,
                history=(
                    ("user", one_line(said.question_1)),
                    ("assistant", said.answer_1.strip()),
                ),
            )
        ]


def _flaw(first: str, spelled_out: str, follow_up: str) -> str:
    full, short = set(content_sequence(spelled_out)), set(content_sequence(follow_up))
    if not full - short:
        return "the follow-up can be understood without the first turn"
    if short - full:
        return f"the follow-up is not the question spelled out: {', '.join(sorted(short - full))}"
    if not (full - short) & set(content_sequence(first)):
        return "the first turn does not name what the follow-up leaves out"
    return ""
