"""What the three judges with a language model have in common: evidence first, then a verdict."""

import re
from functools import cache
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import BaseModel, Field

from data_contracts.base import Result, digest
from tasks.judging.base import JudgedRow, LLMJudge, Verdict
from tasks.llm.request import Messages
from tasks.llm.structured import InvalidReply

_PROMPTS = Path(__file__).parent / "prompts"

SCORES = {"yes": 1.0, "partly": 0.5, "no": 0.0}

# A shorter quote stands anywhere.
_FEWEST_WORDS = 2


class VerdictReply(Result):
    """What the model is to reply: what it rests on, why, and only then the verdict."""

    evidence: str = Field(description="Words copied from the passage, or empty.")
    reason: str
    verdict: Literal["yes", "partly", "no"]


class EvidenceJudge(LLMJudge):
    """A judge whose favourable verdict counts only with a quote that stands in the passage."""

    min_score: float = Field(
        1.0,
        ge=0,
        le=1,
        description="Rows with a lower score are dropped; the verdicts yes, partly and no are "
        "scored 1, 0.5 and 0.",
    )

    skip_kinds: tuple[str, ...] = Field(
        ("out_of_scope", "unanswered"),
        description="Kinds of rows that this judge is not asked about: an answer which says "
        "that the passage gives none has no evidence there.",
    )

    response_format: ClassVar[type[BaseModel]] = VerdictReply

    def applies(self, row: JudgedRow) -> bool:
        """Judge rows that have a passage."""
        return super().applies(row) and bool(row.passage)

    def messages(self, row: JudgedRow) -> Messages:
        """Return the instructions, then passage, question and answer as fenced data."""
        return [
            {"role": "system", "content": _instructions(self.judge)},
            {"role": "user", "content": fenced(row)},
        ]

    def read(self, reply: BaseModel, row: JudgedRow) -> Verdict:
        """Return the verdict if its evidence stands in the passage.

        Raises:
            InvalidReply: A verdict other than "no" rests on words that are not there.
        """
        values = VerdictReply.model_validate(reply.model_dump())
        if values.verdict != "no" and not stands_in(values.evidence, row.passage):
            raise InvalidReply('its "evidence" is not copied from the passage word by word')
        return Verdict(SCORES[values.verdict], " ".join(values.reason.split())[:300])


def stands_in(quote: str, passage: str) -> bool:
    """Whether a quote stands in a passage, case, spacing, punctuation and markup aside."""
    words = re.findall(r"\w+", quote.lower())
    known = " ".join(re.findall(r"\w+", passage.lower()))
    return len(words) >= _FEWEST_WORDS and f" {' '.join(words)} " in f" {known} "


def fenced(row: JudgedRow) -> str:
    """Return passage, question and answer between marks that none of them can hold.

    The mark is a digest of the texts, so it is the same in every run and cannot be known
    to whoever wrote them.
    """
    parts = {"passage": row.passage, "question": row.question, "answer": row.answer}
    mark = digest(parts, length=12)
    return "\n\n".join(f"<{name} {mark}>\n{text}\n</{name} {mark}>" for name, text in parts.items())


@cache
def _instructions(name: str) -> str:
    common = (_PROMPTS / "common.md").read_text(encoding="utf-8").strip()
    return f"{(_PROMPTS / f'{name}.md').read_text(encoding='utf-8').strip()}\n\n{common}"
