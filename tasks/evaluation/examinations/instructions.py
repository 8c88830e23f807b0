"""Does the model still do what it is told, where a rule can tell?"""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from tasks.evaluation.constraints import keeps
from tasks.evaluation.examination import (
    EXAMINATIONS,
    Asked,
    Examination,
    Findings,
    Material,
    Measure,
)
from tasks.evaluation.prompt_set import SHIPPED, prompts_digest, read_prompts

if TYPE_CHECKING:
    from tasks.evaluation.subject import Subject

KEPT = Measure(
    "accuracy", "higher", lambda answer, row: float(keeps(answer, row["rule"], row["value"]))
)


@EXAMINATIONS.register
class Instructions(Examination):
    """Gives instructions whose keeping a rule can check: capitals, three items, at most ten words.

    The measure is called accuracy, so that the gate holds it against the skills' margin.
    """

    examination: Literal["instructions"] = "instructions"
    file: Path | None = Field(
        None,
        description="JSONL with `skill`, `prompt`, `rule` and `value` a line. Empty: the 32 "
        "instructions that come with Temper.",
    )
    most_per_skill: int | None = Field(
        None, ge=2, description="Most prompts of each skill, chosen by hash; empty for all."
    )
    max_new_tokens: int = Field(64, ge=1, description="Longest answer, in tokens.")

    def examine(self, subject: "Subject", material: Material, findings: Findings) -> None:
        """Give each instruction and check the answer."""
        rows = read_prompts(self._path(), ("rule", "value"), self.most_per_skill)
        self.ask(subject, [Asked(row["kind"], row) for row in rows], (KEPT,), findings)

    def source(self) -> str:
        """Return the digest of the instructions."""
        return prompts_digest(self._path())

    def _path(self) -> Path:
        return self.file or SHIPPED / "instructions.jsonl"
