"""The leakage audit: does any training row give a held-out row away?

The audit trusts nothing that curation did. It compares every training row with every
held-out row (`tasks.text.overlap`), where curation searched by LSH: a pair that LSH missed is
found here. To audit two tables, put them into one and set `split`.

Recall questions (`tasks.text.recall`) ask for facts that are trained on purpose: of them only
the wording is compared with the training questions.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from data_contracts.errors import TooFewRows
from data_contracts.results import LeakageCertificate, LeakageFinding, RowsApart
from tasks.curation.config import CurationConfig
from tasks.curation.detectors import Counted, build_detectors
from tasks.curation.findings import Side, finding
from tasks.curation.outside import OutsideRows, outside_findings
from tasks.curation.planted import measure_detectors
from tasks.text.closest import remembered_closest
from tasks.text.detectors import NGRAMS, Detector, Positions
from tasks.text.recall import recall_detectors, recall_positions
from tasks.text.rows import RowTexts, strings
from tasks.text.template import Templates

HELD_OUT = ("validation", "test")


def audit_leakage(
    examples: pa.Table, config: CurationConfig, outside: Sequence[OutsideRows] = ()
) -> LeakageCertificate:
    """Compare the training rows of a split dataset with its validation and test rows.

    Args:
        examples: Rows in the EXAMPLE schema with `split` set.
        config: Thresholds; those by which curation formed the groups.
        outside: What else training must not give away: earlier versions, benchmarks.

    Raises:
        TooFewRows: There is no training row, or no held-out row: nothing to compare.
    """
    splits = np.array(examples.column("split").to_pylist(), dtype=object)
    positions = {name: np.flatnonzero(splits == name) for name in ("train", *HELD_OUT)}
    rows = {name: found.size for name, found in positions.items()}
    recall = np.intersect1d(recall_positions(examples), positions["test"])
    positions["test"] = np.setdiff1d(positions["test"], recall)
    if not rows["train"] or not rows["validation"] + rows["test"]:
        raise TooFewRows(
            f"Nothing to audit: {rows['train']} training, {rows['validation']} validation and "
            f"{rows['test']} test rows. Split the dataset first: column 'split' must say "
            "train, validation or test."
        )
    templates = Templates()
    detectors = build_detectors(RowTexts(examples), config.similarity, templates)
    found, near = _findings(examples, positions, config, detectors)
    findings = [*found, *_recall_findings(examples, positions["train"], recall, config)]
    groups = _groups(examples, positions)
    shared = sum(map(len, groups.values())) - len(set().union(*groups.values()))
    return LeakageCertificate(
        rows=rows,
        groups={name: len(found) for name, found in groups.items()},
        shared_groups=shared,
        findings=findings,
        ignored_template_ngrams=templates.size(NGRAMS),
        passed=shared == 0 and not any(found.hits for found in findings),
        outside=list(
            outside_findings(
                examples, positions["train"], outside, config, Counted(detectors, templates)
            )
        ),
        between=_between(examples, positions, detectors),
        apart=_apart(examples, positions["test"][~near], near.size, config),
        accuracy=measure_detectors(
            examples,
            positions["train"],
            np.concatenate([positions[name] for name in HELD_OUT]),
            config,
            counted=Counted(detectors, templates),
        ),
    )


def _findings(
    examples: pa.Table,
    positions: dict[str, Positions],
    config: CurationConfig,
    detectors: Sequence[Detector],
) -> tuple[list[LeakageFinding], NDArray[np.bool_]]:
    """Return what every detector found, and which test rows have a near one in training."""
    identifiers, train = strings(examples, "example_id"), positions["train"]
    near = np.zeros(positions["test"].size, bool)
    findings = []
    for detector in detectors:
        for split in HELD_OUT:
            rows = positions[split]
            closest = remembered_closest(detector, rows, train, split)
            held_out, training = (Side(detector, at, identifiers) for at in (rows, train))
            findings.append(finding(split, held_out, training, closest))
            if split == "test":
                near |= closest.value >= config.near_share * detector.threshold
    return findings, near


def _between(
    examples: pa.Table, positions: dict[str, Positions], detectors: Sequence[Detector]
) -> list[LeakageFinding]:
    """Return what validation rows give away of test rows."""
    identifiers = strings(examples, "example_id")
    chosen, scored = (positions[name] for name in HELD_OUT)
    return [
        finding(
            "test",
            Side(detector, scored, identifiers),
            Side(detector, chosen, identifiers),
            remembered_closest(detector, scored, chosen, "test by validation"),
            given_by="validation",
        )
        for detector in detectors
    ]


def _apart(
    examples: pa.Table, rows: Positions, of: int, config: CurationConfig
) -> RowsApart | None:
    if not of:
        return None
    identifiers = strings(examples, "example_id")
    apart = [identifiers[row] for row in rows]
    return RowsApart(share=config.near_share, of=of, example_ids=apart)


def _recall_findings(
    examples: pa.Table, train: Positions, recall: Positions, config: CurationConfig
) -> list[LeakageFinding]:
    """Compare the wording of recall questions; their fact, document and answer are trained."""
    identifiers = strings(examples, "example_id")
    detectors = recall_detectors(RowTexts(examples), config.similarity) if recall.size else []
    return [
        finding("test", Side(detector, recall, identifiers), Side(detector, train, identifiers))
        for detector in detectors
    ]


def _groups(examples: pa.Table, positions: dict[str, Positions]) -> dict[str, set[str]]:
    group_ids = np.array(examples.column("group_id").to_pylist(), dtype=object)
    return {name: set(group_ids[found]) - {None} for name, found in positions.items()}


def describe_hits(findings: Sequence[LeakageFinding]) -> list[str]:
    """Return a line for every detector that hit, naming the closest pair of rows."""
    return [_described(found) for found in findings if found.hits]


def _described(found: LeakageFinding) -> str:
    other = "training" if found.given_by == "train" else found.given_by
    return (
        f"{found.detector}: {found.hits} {found.split} rows are given away by {other} "
        f"rows; closest: {found.split} row {found.held_out_id} and {other} row "
        f"{found.train_id} ({found.highest:.2f}, allowed below {found.threshold:.2f})"
    )
