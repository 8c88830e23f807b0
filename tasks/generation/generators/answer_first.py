"""A language model is given a sentence and its answer, and writes only the question.

This much a very small model can do: the answer is found by rules, and what the model adds
is checked word by word against the sentence.
"""

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import BaseModel, Field

from data_contracts.base import Result, canonical_json
from tasks.generation.base import (
    GENERATORS,
    Candidate,
    LLMGenerator,
    Subject,
)
from tasks.generation.fit import flaws
from tasks.generation.targets import find_target
from tasks.generation.wording import anchor
from tasks.llm.request import Messages
from tasks.llm.structured import InvalidReply

_PROMPT = Path(__file__).parent.parent / "prompts" / "answer_first.md"
_SHOT = re.compile(r"Sentence: (.+)\nAnswer: (.+)\nQuestion: (.+)")


class QuestionReply(Result):
    """What the model is to reply."""

    question: str


@GENERATORS.register
class AnswerFirstGenerator(LLMGenerator):
    """Finds a number or a date in a sentence and has the question to it written.

    Works with models of any size, the embedded one included.
    """

    generator: Literal["answer_first"] = "answer_first"
    min_coverage: float = Field(
        0.6, ge=0, le=1, description="Share of the sentence's words that its question must use."
    )

    response_format: ClassVar[type[BaseModel]] = QuestionReply

    def shown_questions(self) -> tuple[str, ...]:
        """Return the examples' questions."""
        return tuple(question for shots in _prompt()[1].values() for _, _, question in shots)

    def messages(self, subject: Subject) -> Messages | None:
        """Return examples of the same sort of answer, then the sentence and its answer."""
        target = find_target(subject.chunk)
        if target is None:
            return None
        instruction, shots = _prompt()
        messages = [{"role": "system", "content": instruction}]
        for sentence, answer, question in shots[target.sort]:
            messages.append({"role": "user", "content": _ask(sentence, answer)})
            reply = canonical_json({"question": question})
            messages.append({"role": "assistant", "content": reply})
        return [*messages, {"role": "user", "content": _ask(target.sentence.text, target.answer)}]

    def parse(self, reply: BaseModel, subject: Subject) -> Sequence[Candidate]:
        """Return the question with the whole sentence as its answer."""
        target = find_target(subject.chunk)
        question = QuestionReply.model_validate(reply.model_dump()).question.strip()
        if target is None or not question:
            raise InvalidReply('its "question" is empty')
        sentence = target.sentence
        flaw = "; ".join(flaws(question, target, self.min_coverage))
        standing = anchor(question, subject.chunk.name) or question
        answer, start, end = sentence.text, sentence.start, sentence.end
        return [Candidate("answer_first", standing, answer, start, end, flaw=flaw)]


def _ask(sentence: str, answer: str) -> str:
    return f"Sentence: {sentence}\nAnswer: {answer}"


@cache
def _prompt() -> tuple[str, dict[str, list[tuple[str, str, str]]]]:
    """Return the instruction, and the examples of each sort of answer."""
    instruction, *sections = _PROMPT.read_text(encoding="utf-8").split("\n## ")
    return instruction.strip(), {
        section.split("\n", 1)[0].strip(): _SHOT.findall(section) for section in sections
    }
