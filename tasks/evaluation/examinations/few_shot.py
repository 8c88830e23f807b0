"""Solved examples before the question: does tuning still gain where these are given?"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from tasks.evaluation.examination import (
    EXAMINATIONS,
    F1,
    RIGHT,
    Asked,
    Findings,
    Material,
    Row,
    RowExamination,
    by_hash,
)
from tasks.modeling.chat import user_message

if TYPE_CHECKING:
    from tasks.evaluation.subject import Subject


@EXAMINATIONS.register
class FewShot(RowExamination):
    """Asks test rows after none, one and several solved training rows."""

    examination: Literal["few_shot"] = "few_shot"
    shots: tuple[int, ...] = Field(
        (0, 1, 4), min_length=1, description="How many solved examples go before the question."
    )

    def examine(self, subject: "Subject", material: Material, findings: Findings) -> None:
        """Ask all rows with each number of examples; the same ones before every row."""
        pool = _shots(material.split("train"))
        rows = self.choose(material.split("test"))
        asked = [
            Asked(_arm(number), {**row, "history": [*_turns(pool[:number]), *row["history"]]})
            for number in self.shots
            if number <= len(pool)
            for row in rows
        ]
        self.ask(subject, asked, (F1, RIGHT), findings)


def _arm(number: int) -> str:
    return f"{number} example" + ("" if number == 1 else "s")


def _shots(train: Sequence[Row]) -> list[Row]:
    """Return training rows of the shorter half, so that several fit, of different kinds first."""
    lengths = sorted(_length(row) for row in train)
    short = [row for row in train if _length(row) <= lengths[len(lengths) // 2]]
    ordered, seen = by_hash(short), dict[str, int]()
    turn: dict[str, int] = {}
    for row in ordered:
        turn[row["example_id"]] = seen[row["kind"]] = seen.get(row["kind"], -1) + 1
    return sorted(ordered, key=lambda row: turn[row["example_id"]])


def _length(row: Row) -> int:
    return len(user_message(row)) + len(row["answer"])


def _turns(rows: Sequence[Row]) -> list[dict[str, str]]:
    turns = []
    for row in rows:
        turns.append({"role": "user", "content": user_message(row)})
        turns.append({"role": "assistant", "content": row["answer"]})
    return turns
