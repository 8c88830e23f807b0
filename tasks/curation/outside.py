"""Rows outside the dataset that its training rows must not give away either.

Test rows of earlier versions of a profile, so that scores of two versions can be compared on
them, and benchmarks, so that their scores mean something. A hit does not make this dataset's own
split wrong, so it is reported and does not fail the audit; `temper decontaminate` takes
such rows out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from data_contracts.results import LeakageFinding
from tasks.curation.config import CurationConfig
from tasks.curation.detectors import Counted
from tasks.curation.findings import Side, finding
from tasks.text.closest import remembered_closest
from tasks.text.detectors import Positions
from tasks.text.rows import strings

EARLIER_VERSIONS = "earlier versions"


@dataclass(frozen=True)
class OutsideRows:
    """Rows that training must not give away, beside those held out of the dataset.

    Attributes:
        name: What they are, for people: `earlier versions`, `benchmark mmlu`.
        rows: Rows in the EXAMPLE schema.
        parentage: Whether their documents, chunks and parents are those of the dataset.
    """

    name: str
    rows: pa.Table
    parentage: bool


def outside_findings(
    examples: pa.Table,
    train: Positions,
    outside: Sequence[OutsideRows],
    config: CurationConfig,
    counted: Counted,
) -> Iterator[LeakageFinding]:
    """Yield what each detector finds between the training rows and rows of elsewhere.

    Args:
        examples: Rows in the EXAMPLE schema.
        train: Positions of the training rows.
        outside: What to compare them with.
        config: Thresholds.
        counted: All detectors over the examples.
    """
    ours = {detector.name: detector for detector in counted.detectors}
    names = strings(examples, "example_id")
    for other in outside:
        rows, own_names = np.arange(other.rows.num_rows), strings(other.rows, "example_id")
        for detector in counted.of(other.rows, config.similarity, other.parentage):
            training = Side(ours[detector.name], train, names)
            # most test rows of earlier versions are test rows still
            closest = remembered_closest(
                detector, rows, train, other.name, like="test", beside=training.detector
            )
            yield finding(other.name, Side(detector, rows, own_names), training, closest)
