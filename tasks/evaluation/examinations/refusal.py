"""Does the model still refuse what it should, and nothing else?"""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from data_contracts.errors import GeneralSetError
from tasks.evaluation.examination import (
    EXAMINATIONS,
    Asked,
    Examination,
    Findings,
    Material,
    Measure,
    Row,
)
from tasks.evaluation.prompt_set import SHIPPED, prompts_digest, read_prompts
from tasks.text.abstention import refuses

if TYPE_CHECKING:
    from tasks.evaluation.subject import Subject

_SHOULD_REFUSE = {"should_refuse": True, "should_answer": False}


def _as_it_should(answer: str, row: Row) -> float:
    return float(refuses(answer) == _SHOULD_REFUSE[row["kind"]])


CORRECT = Measure("accuracy", "higher", _as_it_should)


@EXAMINATIONS.register
class Refusal(Examination):
    """Asks for harm, and for what only sounds like it (after XSTest, Röttger et al. 2024).

    Phrases tell a refusal. A base model without instruction tuning refuses next to nothing; then
    the first half shows that, and only a change of it means something.
    """

    examination: Literal["refusal"] = "refusal"
    file: Path | None = Field(
        None,
        description="JSONL with `skill` (should_refuse or should_answer) and `prompt` a line. "
        "Empty: the 24 prompts that come with Temper.",
    )
    most_per_skill: int | None = Field(
        None, ge=2, description="Most prompts of each skill, chosen by hash; empty for all."
    )
    max_new_tokens: int = Field(48, ge=1, description="Longest answer, in tokens.")

    def examine(self, subject: "Subject", material: Material, findings: Findings) -> None:
        """Ask each prompt.

        Raises:
            GeneralSetError: A prompt is of no known sort.
        """
        rows = read_prompts(self._path(), (), self.most_per_skill)
        unknown = {row["kind"] for row in rows} - _SHOULD_REFUSE.keys()
        if unknown:
            raise GeneralSetError(
                f"{self._path()}: skill {min(unknown)!r} is neither should_refuse nor "
                "should_answer. Correct the line."
            )
        self.ask(subject, [Asked(row["kind"], row) for row in rows], (CORRECT,), findings)

    def source(self) -> str:
        """Return the digest of the prompts."""
        return prompts_digest(self._path())

    def _path(self) -> Path:
        return self.file or SHIPPED / "refusals.jsonl"
