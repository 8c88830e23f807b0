"""Leaks between any two datasets: reading, comparing, and copies without the hits."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa

from data_contracts.errors import TooFewRows
from data_contracts.leakage import DetectorSummary, LeakageCheck, LeakageHit
from data_contracts.results import PlantedLeaks
from tasks.curation.config import CurationConfig
from tasks.curation.groups import group_rows
from tasks.curation.planted import measure_detectors
from tasks.interchange.compared import ComparedDataset
from tasks.interchange.locate import LocatedSource
from tasks.interchange.saved_folder import copy_state
from tasks.interchange.without_records import copy_without
from tasks.text.detectors import Detector, Positions, text_detectors
from tasks.text.rows import RowTexts, strings

Side = Literal["train", "test"]

# Error rates are measured on a sample of so many rows of each side.
_SAMPLE = 2_000


def check_leakage(
    train: ComparedDataset, test: ComparedDataset, checked: Side, config: CurationConfig
) -> LeakageCheck:
    """Compare every record of one dataset with every record of another.

    Args:
        train: The training data.
        test: What must not be in it.
        checked: Whose records are counted: given away, or giving away.
        config: Thresholds, and how many leaks to plant.

    Raises:
        TooFewRows: A side holds no text.
    """
    for name, side in (("training", train), ("test", test)):
        if not side.rows.num_rows:
            raise TooFewRows(f"Nothing to compare: the {name} data hold no record with text.")
    rows = RowTexts(pa.concat_tables([train.rows, test.rows]))
    ours = np.arange(train.rows.num_rows, dtype=np.int64)
    theirs = np.arange(test.rows.num_rows, dtype=np.int64) + train.rows.num_rows
    detectors, hits = [], []
    for detector in text_detectors(rows, config.similarity):
        summary, found = _compare(detector, ours, theirs, checked, rows)
        detectors.append(summary)
        hits += found
    key = "test_record" if checked == "test" else "train_record"
    return LeakageCheck(
        train=train.located.source.path,
        test=test.located.source.path,
        checked=checked,
        train_records=train.records,
        test_records=test.records,
        unreadable=train.unreadable + test.unreadable,
        detectors=detectors,
        hits=hits,
        given_away=sorted({getattr(hit, key) for hit in hits}),
        accuracy=_accuracy(train.rows, test.rows, config),
    )


def together(datasets: Sequence[ComparedDataset]) -> ComparedDataset:
    """Return several datasets as one to compare with; it cannot be written again."""
    first = datasets[0].located
    path = ", ".join(dataset.located.source.path for dataset in datasets)
    source = first.source.model_copy(update={"path": path})
    return ComparedDataset(
        LocatedSource(source, first.folder, ()),
        pa.concat_tables([dataset.rows for dataset in datasets]),
        sum(dataset.records for dataset in datasets),
        sum(dataset.unreadable for dataset in datasets),
    )


def _compare(
    detector: Detector, train: Positions, test: Positions, checked: Side, rows: RowTexts
) -> tuple[DetectorSummary, list[LeakageHit]]:
    names, texts = strings(rows.examples, "chunk_id"), rows.whole
    if checked == "test":
        closest = detector.closest(test, train)
        pairs = np.stack([train[closest.index], test], axis=1)
    else:
        closest = detector.closest_given_away(train, test)
        pairs = np.stack([train, test[closest.index]], axis=1)
    hits = [
        LeakageHit(
            detector=detector.name,
            measure=float(closest.value[n]),
            train_record=names[pairs[n, 0]],
            test_record=names[pairs[n, 1]],
            train_text=texts[pairs[n, 0]],
            test_text=texts[pairs[n, 1]],
        )
        for n in np.flatnonzero(closest.value >= detector.threshold)
    ]
    summary = DetectorSummary(
        detector=detector.name,
        threshold=detector.threshold,
        hits=len({hit.test_record if checked == "test" else hit.train_record for hit in hits}),
        highest=float(closest.value.max(initial=0.0)),
    )
    return summary, hits


def _accuracy(train: pa.Table, test: pa.Table, config: CurationConfig) -> PlantedLeaks | None:
    """Measure the detectors on these very records; those of a kind are grouped first."""
    if not config.planted:
        return None
    random = np.random.default_rng(config.seed)
    chosen = [
        side.take(np.sort(random.permutation(side.num_rows)[:_SAMPLE])) for side in (train, test)
    ]
    rows = pa.concat_tables(chosen)
    groups = group_rows(rows, config).group_ids
    at = rows.schema.get_field_index("group_id")
    rows = rows.set_column(at, rows.schema.field(at), pa.array(groups, pa.string()))
    first = chosen[0].num_rows
    return measure_detectors(
        rows,
        np.arange(first, dtype=np.int64),
        np.arange(first, rows.num_rows, dtype=np.int64),
        config,
        parentage=False,
    )


def write_cleaned(dataset: ComparedDataset, left_out: list[str], target: Path) -> None:
    """Write a dataset again without some records, in the form it came in.

    Args:
        dataset: The dataset; a folder's files keep their names below `target`, and one that
            `datasets` saved can be loaded again.
        left_out: Records as `file#number`.
        target: A file for a dataset of one file, or else a folder.

    Raises:
        StorageError: It cannot be written.
    """
    folder = dataset.located.folder
    for file in dataset.located.files:
        numbers = {
            int(number)
            for name, _, number in (record.rpartition("#") for record in left_out)
            if name == file.name
        }
        place = target / file.path.relative_to(folder) if folder.is_dir() else target
        copy_without(file.path, numbers, place)
    if folder.is_dir():
        copy_state(folder, [file.path for file in dataset.located.files], left_out, target)
