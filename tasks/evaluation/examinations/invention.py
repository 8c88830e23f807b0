"""Questions that have no answer: does the model say so, or does it make one up?"""

from typing import TYPE_CHECKING, Literal

from tasks.evaluation.examination import (
    EXAMINATIONS,
    Asked,
    Findings,
    Material,
    Measure,
    Row,
    RowExamination,
    alone,
)
from tasks.text.abstention import abstains
from tasks.text.recall import CONTROL
from tasks.text.right import is_right

if TYPE_CHECKING:
    from tasks.evaluation.subject import Subject

UNANSWERABLE = frozenset({"unanswered", "out_of_scope"})

ANSWERED = Measure("answered", "lower", lambda answer, _: float(not abstains(answer)))
ABSTAINED = Measure("abstained", "lower", lambda answer, _: float(abstains(answer)))


def _invented(answer: str, row: Row) -> float:
    return float(not abstains(answer) and not is_right(answer, row["answer"]))


INVENTED = Measure("invented", "lower", _invented)


@EXAMINATIONS.register
class Invention(RowExamination):
    """Asks test rows that cannot be answered, that can, and those of unseen documents.

    `rows` of each sort, as far as the dataset has them.
    """

    examination: Literal["invention"] = "invention"

    def examine(self, subject: "Subject", material: Material, findings: Findings) -> None:
        """Count answers where there is none, silence where there is one, and wrong claims."""
        test = material.split("test")
        unanswerable = [row for row in test if row["kind"] in UNANSWERABLE]
        # From memory: with its passage, a question about an unseen document can be answered.
        unseen = [alone(row) for row in test if CONTROL in row["flags"]]
        answerable = [
            row for row in test if row["kind"] not in UNANSWERABLE and CONTROL not in row["flags"]
        ]
        for name, rows, measure in (
            ("unanswerable", unanswerable, ANSWERED),
            ("unseen_documents", unseen, INVENTED),
            ("answerable", answerable, ABSTAINED),
        ):
            asked = [Asked(name, row) for row in self.choose(rows)]
            self.ask(subject, asked, (measure,), findings)
