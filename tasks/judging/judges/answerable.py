"""Does the passage answer this question with this answer?"""

from typing import Literal

from pydantic import Field

from tasks.grounding.judge import judge
from tasks.judging.base import JUDGES, JudgedRow, RuleJudge, Verdict

# Faults of form are other judges' business.
_FORM = frozenset(("malformed", "not_self_contained", "too_short", "answer_in_question"))


@JUDGES.register
class AnswerableJudge(RuleJudge):
    """Checks the answer of an imported row against the passage that comes with it.

    The same checks as in generation: words, numbers, units, names, negations, limits, order,
    and whether the passage says this where it speaks of what is asked.
    """

    judge: Literal["answerable"] = "answerable"
    min_score: float = Field(
        0.75, ge=0, le=1, description="Lowest share of the answer that the passage must support."
    )
    generated: bool = Field(False, description="Judge again what generation has checked.")

    def applies(self, row: JudgedRow) -> bool:
        """Judge rows that have a passage."""
        checked = row.generated and not self.generated
        return super().applies(row) and not checked and bool(row.passage)

    def verdict(self, row: JudgedRow) -> Verdict:
        """Give the support of the answer, or 0 where one of its claims is another's."""
        found = judge(row.question, row.answer, row.passage, row.headings, self.min_score)
        if found.reason is None or found.reason in _FORM:
            return Verdict(max(found.score, 0.0), found.detail)
        return Verdict(0.0 if found.reason != "ungrounded" else found.score, found.detail)
