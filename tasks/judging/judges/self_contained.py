"""Does the question stand on its own?"""

import re
from typing import Literal

from pydantic import Field

from tasks.grounding.questions import points_at_text
from tasks.judging.base import JUDGES, JudgedRow, RuleJudge, Verdict


@JUDGES.register
class SelfContainedJudge(RuleJudge):
    """Finds questions that lean on "the text above", "this section" or a bare "it".

    Earlier turns or the passage of an imported row may be what a question leans on: such rows
    are not judged.
    """

    judge: Literal["self_contained"] = "self_contained"
    generated: bool = Field(False, description="Judge again what generation has checked.")

    def applies(self, row: JudgedRow) -> bool:
        """Judge single turns that come without a passage of their own."""
        if row.generated:
            return super().applies(row) and self.generated
        alone = not row.values["history"] and not row.values["context"]
        return super().applies(row) and alone

    def verdict(self, row: JudgedRow) -> Verdict:
        """Give 0 to a question that leans on something that it does not name."""
        pointer = points_at_text(row.question)
        if pointer is None or _brings_it(row.question, pointer):
            return Verdict(1.0)
        return Verdict(0.0, f"The question leans on {pointer!r}, which it does not name.")


def _brings_it(question: str, pointer: str) -> bool:
    """Whether what is pointed at follows in the question: "Classify the following: ..."."""
    rest = question.casefold().partition(pointer.casefold())[2]
    return "following" in pointer.casefold() and bool(re.search(r"[:\n].*\w", rest, re.DOTALL))
