"""The leakage audit: does any training row give a held-out row away?

The audit trusts nothing that curation did. It compares every training row with every
held-out row by brute force (`tasks.text.overlap`, usable up to some 20,000 rows), where
curation searched by LSH: a pair that LSH missed is found here. To audit two tables, put
them into one and set `split`.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pyarrow as pa

from data_contracts.errors import TooFewRows
from data_contracts.results import LeakageCertificate, LeakageFinding
from tasks.curation.config import CurationConfig
from tasks.curation.detectors import build_detectors, count_template_ngrams
from tasks.text.detectors import Detector, Positions
from tasks.text.rows import strings

HELD_OUT: tuple[Literal["validation"], Literal["test"]] = ("validation", "test")


def audit_leakage(examples: pa.Table, config: CurationConfig) -> LeakageCertificate:
    """Compare the training rows of a split dataset with its validation and test rows.

    Args:
        examples: Rows in the EXAMPLE schema with `split` set.
        config: Thresholds; those by which curation formed the groups.

    Raises:
        TooFewRows: There is no training row, or no held-out row: nothing to compare.
    """
    splits = np.array(examples.column("split").to_pylist(), dtype=object)
    positions = {name: np.flatnonzero(splits == name) for name in ("train", *HELD_OUT)}
    rows = {name: found.size for name, found in positions.items()}
    if not rows["train"] or not rows["validation"] + rows["test"]:
        raise TooFewRows(
            f"Nothing to audit: {rows['train']} training, {rows['validation']} validation and "
            f"{rows['test']} test rows. Split the dataset first: column 'split' must say "
            "train, validation or test."
        )
    findings = _findings(examples, positions, config)
    groups = _groups(examples, positions)
    shared = sum(map(len, groups.values())) - len(set().union(*groups.values()))
    return LeakageCertificate(
        rows=rows,
        groups={name: len(found) for name, found in groups.items()},
        shared_groups=shared,
        findings=findings,
        ignored_template_ngrams=count_template_ngrams(examples, config.similarity),
        passed=shared == 0 and not any(finding.hits for finding in findings),
    )


def _findings(
    examples: pa.Table, positions: dict[str, Positions], config: CurationConfig
) -> list[LeakageFinding]:
    identifiers = strings(examples, "example_id")
    return [
        _finding(detector, split, positions["train"], positions[split], identifiers)
        for detector in build_detectors(examples, config.similarity)
        for split in HELD_OUT
    ]


def _finding(
    detector: Detector,
    split: Literal["validation", "test"],
    train: Positions,
    held_out: Positions,
    identifiers: Sequence[str],
) -> LeakageFinding:
    closest = detector.closest(held_out, train)
    highest = float(closest.value.max(initial=0.0))
    finding = LeakageFinding(
        detector=detector.name,
        split=split,
        threshold=detector.threshold,
        hits=int((closest.value >= detector.threshold).sum()),
        highest=highest,
    )
    if highest == 0.0:
        return finding
    found = int(closest.value.argmax())
    ours, theirs = held_out[found], train[closest.index[found]]
    return finding.model_copy(
        update={
            "train_id": identifiers[theirs],
            "held_out_id": identifiers[ours],
            "train_text": detector.texts[theirs],
            "held_out_text": detector.texts[ours],
        }
    )


def _groups(examples: pa.Table, positions: dict[str, Positions]) -> dict[str, set[str]]:
    group_ids = np.array(examples.column("group_id").to_pylist(), dtype=object)
    return {name: set(group_ids[found]) - {None} for name, found in positions.items()}


def describe_hits(certificate: LeakageCertificate) -> list[str]:
    """Return a line for every detector that hit, naming the closest pair of rows."""
    return [
        f"{finding.detector}: {finding.hits} {finding.split} rows are given away by training "
        f"rows; closest: {finding.split} row {finding.held_out_id} and training row "
        f"{finding.train_id} ({finding.highest:.2f}, allowed below {finding.threshold:.2f})"
        for finding in certificate.findings
        if finding.hits
    ]
