"""Which new rows come too close to a held-out row."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from tasks.text.config import SimilarityConfig
from tasks.text.detectors import text_detectors
from tasks.text.rows import strings


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
        new: Candidates for training rows.
        examples: All rows there are, with `split` set.
        config: Thresholds.
    """
    together = pa.concat_tables([examples, new])
    identifiers, splits = strings(together, "example_id"), strings(together, "split")
    held_out = np.array([i for i, s in enumerate(splits) if s != "train"], np.int64)
    candidates = np.arange(examples.num_rows, together.num_rows, dtype=np.int64)
    leaks: dict[int, Leak] = {}
    for detector in text_detectors(together, config):
        closest = detector.closest(candidates, held_out)
        for row in np.flatnonzero(closest.value >= detector.threshold).tolist():
            found = identifiers[held_out[closest.index[row]]]
            leaks.setdefault(row, Leak(detector.name, found, float(closest.value[row])))
    return leaks
