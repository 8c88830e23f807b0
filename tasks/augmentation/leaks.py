"""Which new rows come too close to a held-out row."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from tasks.text.closest import remembered_closest
from tasks.text.config import SimilarityConfig
from tasks.text.detectors import Detector, Positions, text_detectors
from tasks.text.recall import recall_detectors, recall_positions
from tasks.text.rows import RowTexts, strings

# What the detectors and the recall questions look at: a table of few columns is soon made.
COMPARED = (
    "example_id", "document_id", "history", "context", "question", "answer", "split", "flags",
)  # fmt: skip


@dataclass(frozen=True)
class Leak:
    """The held-out row that a new row comes too close to, by which detector."""

    detector: str
    held_out_id: str
    measure: float


def find_leaks(new: pa.Table, examples: pa.Table, config: SimilarityConfig) -> dict[int, Leak]:
    """Return the new rows that would give a held-out row away, by position.

    The detectors are those of the final audit, so what passes here passes there.

    Args:
        new: Candidates for training rows; the columns `COMPARED` do.
        examples: All rows there are, with `split` set.
        config: Thresholds.
    """
    together = pa.concat_tables([table.select(COMPARED) for table in (examples, new)])
    identifiers, splits = strings(together, "example_id"), strings(together, "split")
    held_out = np.array([i for i, s in enumerate(splits) if s != "train"], np.int64)
    recall = np.intersect1d(recall_positions(together), held_out)
    candidates = np.arange(examples.num_rows, together.num_rows, dtype=np.int64)
    leaks: dict[int, Leak] = {}
    for detector, others in _comparisons(RowTexts(together), held_out, recall, config):
        closest = remembered_closest(detector, candidates, others, "new")
        for row in np.flatnonzero(closest.value >= detector.threshold).tolist():
            found = identifiers[others[closest.index[row]]]
            leaks.setdefault(row, Leak(detector.name, found, float(closest.value[row])))
    return leaks


def _comparisons(
    together: RowTexts, held_out: Positions, recall: Positions, config: SimilarityConfig
) -> list[tuple[Detector, Positions]]:
    """Pair detectors with held-out rows: of recall questions only the wording is compared."""
    unseen = np.setdiff1d(held_out, recall)
    found = [(detector, unseen) for detector in text_detectors(together, config)]
    if recall.size:
        found += [(detector, recall) for detector in recall_detectors(together, config)]
    return found
