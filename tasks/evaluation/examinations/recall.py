"""Trained facts, asked in the trained wording and in another: known, or known by heart?"""

import logging
from typing import TYPE_CHECKING, Literal

from tasks.evaluation.examination import (
    EXAMINATIONS,
    F1,
    RIGHT,
    Asked,
    Findings,
    Material,
    Row,
    RowExamination,
)
from tasks.text.recall import RECALL

if TYPE_CHECKING:
    from tasks.evaluation.subject import Subject

logger = logging.getLogger(__name__)

TRAINED, REWORDED = "trained_wording", "new_wording"


@EXAMINATIONS.register
class Recall(RowExamination):
    """Asks trained facts in the trained wording and in the one that was held out."""

    examination: Literal["recall"] = "recall"

    def examine(self, subject: "Subject", material: Material, findings: Findings) -> None:
        """Ask both wordings of each fact; measurements go by the fact, so that they pair."""
        trained = {row["fact_id"]: row for row in material.split("train") if row["fact_id"]}
        held_out = [
            row
            for row in material.split("test")
            if RECALL in row["flags"] and row["fact_id"] in trained
        ]
        if not held_out:
            logger.warning(
                "examination recall: no trained fact has a held-out wording; the objective "
                "`knowledge` (selection.objective) makes them"
            )
        rows = self.choose(held_out)
        asked = [Asked(TRAINED, _named(trained[row["fact_id"]], row)) for row in rows]
        asked += [Asked(REWORDED, row) for row in rows]
        self.ask(subject, asked, (F1, RIGHT), findings)


def _named(row: Row, held_out: Row) -> Row:
    return {**row, "example_id": held_out["example_id"], "group_id": held_out["group_id"]}
