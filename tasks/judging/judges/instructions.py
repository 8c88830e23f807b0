"""Does the row, or the passage it comes from, give orders to a language model?"""

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from tasks.judging.base import JUDGES, JudgedRow, RuleJudge, Verdict
from tasks.text.instructions import FLAG, find_instructions


@JUDGES.register
class InstructionsJudge(RuleJudge):
    """Finds rows that speak to a model, and rows of passages that are flagged for it."""

    judge: Literal["instructions"] = "instructions"
    on_flag: Literal["drop", "keep"] = Field(
        "drop",
        description="What happens to rows from a passage that gives orders to a model, and to "
        "rows that do so themselves. Kept ones carry the flag `instructions`.",
    )

    def verdict(self, row: JudgedRow) -> Verdict:
        """Give 0 to a row that speaks to a model or comes from a passage that does."""
        for name, text in _texts(row):
            for finding in find_instructions(text):
                return Verdict(0.0, f"The {name} speaks to a model: {finding.text!r}.")
        if FLAG in row.flags:
            return Verdict(0.0, "Its passage gives orders to a model.")
        return Verdict(1.0)


def _texts(row: JudgedRow) -> Iterator[tuple[str, str]]:
    """Yield what may not give orders; a system turn is there to give them."""
    yield "question", row.question
    yield "answer", row.answer
    yield "passage", row.passage
    for turn in row.values["history"]:
        if turn["role"] != "system":
            yield "history", turn["content"]
