"""Takes out held-out rows that training rows give away, where there are few of them.

Groups are formed on the rows of curation. Selection and augmentation change what counts as
template text, and similar rows are searched by LSH, which misses some; so among many thousand rows
the audit, which compares every pair, finds one now and then that is given away. Nobody is scored on
it then: it leaves its side, and nothing is trained on it either. More of them are a fault of the
data or the settings, which a person should see.
"""

import logging

import pyarrow as pa
import pyarrow.compute as pc

from data_contracts.dataset import StageResult
from data_contracts.results import GivenAway, LeakageCertificate, LeakageFinding
from data_contracts.schemas import EXAMPLE, dropped_schema
from tasks.text.rows import strings

logger = logging.getLogger(__name__)

# Share of the held-out rows. A build of 10,000 documents had one such row, where another one of as
# many has 9,794 held out; rows that were copied to both sides, or a threshold that joins nothing,
# give many more.
MOST = 0.01

REASON = "given_away"


def can_be_withdrawn(certificate: LeakageCertificate) -> bool:
    """Whether an audit failed because of a few rows alone, which can be taken out."""
    held_out = sum(rows for split, rows in certificate.rows.items() if split != "train")
    found = {pair.held_out_id for finding in certificate.findings for pair in finding.given_away}
    return not certificate.shared_groups and 0 < len(found) <= MOST * held_out


def withdraw_rows(examples: pa.Table, certificate: LeakageCertificate) -> StageResult:
    """Drop every held-out row that the audit found given away; each names its training row.

    Args:
        examples: The rows that were audited.
        certificate: What the audit found.
    """
    found: dict[str, tuple[LeakageFinding, GivenAway]] = {}
    for finding in certificate.findings:
        for pair in finding.given_away:
            found.setdefault(pair.held_out_id, (finding, pair))
    stays = pa.array([name not in found for name in strings(examples, "example_id")], pa.bool_())
    dropped = [
        row | _reason(*found[row["example_id"]])
        for row in examples.filter(pc.invert(stays)).to_pylist()
    ]
    logger.warning(
        "%d held-out rows are given away by training rows and are taken out; nothing is trained "
        "on them. The first: %s.",
        len(dropped),
        dropped[0]["detail"],
    )
    return StageResult(
        kept=examples.filter(stays).cast(EXAMPLE),
        dropped=pa.Table.from_pylist(dropped, schema=dropped_schema(EXAMPLE)),
        rows_in=examples.num_rows,
    )


def _reason(finding: LeakageFinding, pair: GivenAway) -> dict[str, object]:
    return {
        "reason": REASON,
        "detail": f"{finding.split} row {pair.held_out_id}, given away by training row "
        f"{pair.train_id}: {finding.detector} {pair.similarity:.2f}, allowed below "
        f"{finding.threshold:.2f}",
        "duplicate_of": pair.train_id,
        "similarity": pair.similarity,
    }
