"""Four arms: base and tuned model, each alone and with retrieved passages."""

import logging
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
    Passage,
    Row,
    RowExamination,
    alone,
)

if TYPE_CHECKING:
    from tasks.evaluation.subject import Subject

logger = logging.getLogger(__name__)

ALONE, RETRIEVED = "alone", "with_retrieval"


@EXAMINATIONS.register
class Retrieval(RowExamination):
    """Asks test rows from memory, and with what the embedded retriever finds for the question."""

    examination: Literal["retrieval"] = "retrieval"
    passages: int = Field(2, ge=1, description="How many passages go before the question.")

    def examine(self, subject: "Subject", material: Material, findings: Findings) -> None:
        """Ask in both arms; a row's own passage is taken away, or nothing would be retrieved."""
        from tasks.evaluation.retriever import Retriever

        passages = material.passages or _given(material.rows)
        if not passages:
            logger.warning("examination retrieval: there is no passage to be found")
            return
        retriever = Retriever(passages)
        rows = self.choose(material.split("test"))
        found = [retriever.find(row["question"], self.passages) for row in rows]
        asked = [Asked(ALONE, alone(row)) for row in rows]
        asked += [
            Asked(RETRIEVED, {**row, "context": _joined(texts)})
            for row, texts in zip(rows, found, strict=True)
        ]
        self.ask(subject, asked, (F1, RIGHT), findings)
        findings.figures |= _found_figures(rows, found)


def _given(rows: Sequence[Row]) -> list[Passage]:
    """Return the passages that rows come with: what there is of imported rows."""
    texts = {row["context"]: row["chunk_id"] for row in rows if row["context"]}
    return [Passage(chunk_id, text) for text, chunk_id in texts.items()]


def _joined(passages: Sequence[Passage]) -> str | None:
    return "\n\n".join(passage.text for passage in passages) or None


def _found_figures(rows: Sequence[Row], found: Sequence[Sequence[Passage]]) -> dict[str, float]:
    """Return for how many questions the passage that holds the answer was found."""
    if not rows:
        return {}
    right = sum(
        row["chunk_id"] in {passage.passage_id for passage in passages}
        for row, passages in zip(rows, found, strict=True)
    )
    return {"retrieval.passage_found": right / len(rows)}
