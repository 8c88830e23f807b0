"""Is the model as often right as it is sure?"""

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from tasks.evaluation.examination import (
    EXAMINATIONS,
    RIGHT,
    Asked,
    Findings,
    Material,
    Measure,
    RowExamination,
)
from tasks.text.right import is_right

if TYPE_CHECKING:
    from tasks.evaluation.subject import Subject

CONFIDENCE, BRIER = "confidence", "brier"


@EXAMINATIONS.register
class Calibration(RowExamination):
    """Asks test rows and compares the probability of each answer with whether it was right.

    The probability is the geometric mean over the answer's own tokens: the product would make
    every long answer a doubtful one.
    """

    examination: Literal["calibration"] = "calibration"
    rows: int = Field(40, ge=2, description="Most test rows that are asked, chosen by hash.")

    def examine(self, subject: "Subject", material: Material, findings: Findings) -> None:
        """Note confidence, correctness and the Brier score of each answer."""
        asked = [Asked("answers", row) for row in self.choose(material.split("test"))]
        asked, answers = self.put(subject, asked, findings)
        given = [(q, a) for q, a in zip(asked, answers, strict=True) if a]  # nothing to be sure of
        rows, texts = [q.row for q, _ in given], [a for _, a in given]
        certain = subject.certainties(rows, texts)
        for (question, answer), confidence in zip(given, certain, strict=True):
            right = float(is_right(answer, question.row["answer"]))
            error = (confidence - right) ** 2
            told = (
                Measure(CONFIDENCE, "higher", lambda *_, value=confidence: value),
                Measure(BRIER, "lower", lambda *_, value=error: value),
                RIGHT,
            )
            self.note(question, answer, told, findings)
