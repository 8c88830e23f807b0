"""Trained in one language, asked in another."""

import logging
from collections import defaultdict
from typing import TYPE_CHECKING, Literal

from tasks.evaluation.examination import (
    EXAMINATIONS,
    F1,
    RIGHT,
    Asked,
    Findings,
    Material,
    RowExamination,
)

if TYPE_CHECKING:
    from tasks.evaluation.subject import Subject

logger = logging.getLogger(__name__)


@EXAMINATIONS.register
class CrossLingual(RowExamination):
    """Asks test rows in a language in which training asked nothing about their fact.

    Where no fact of a row was trained, as in a split by documents, its language must not occur
    in training at all. `rows` of each pair of languages.
    """

    examination: Literal["cross_lingual"] = "cross_lingual"

    def examine(self, subject: "Subject", material: Material, findings: Findings) -> None:
        """Ask the rows of each pair of languages."""
        pairs = defaultdict(list)
        by_fact, all_ = _languages(material)
        for row in material.split("test"):
            trained = by_fact.get(row["fact_id"] or "", all_)
            if row["language"] and trained and row["language"] not in trained:
                pairs[f"{'+'.join(sorted(trained))} to {row['language']}"].append(row)
        if not pairs:
            logger.warning("examination cross_lingual: training asked in every language of test")
        asked = [Asked(name, row) for name in sorted(pairs) for row in self.choose(pairs[name])]
        self.ask(subject, asked, (F1, RIGHT), findings)


def _languages(material: Material) -> tuple[dict[str, set[str]], set[str]]:
    """Return the languages in which each fact was trained, and all of them."""
    by_fact = defaultdict(set)
    for row in material.split("train"):
        if row["language"] and row["fact_id"]:
            by_fact[row["fact_id"]].add(row["language"])
    return by_fact, {row["language"] for row in material.split("train") if row["language"]}
