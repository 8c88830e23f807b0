"""What differs between two registered versions: figures, rows they were trained on, options."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa

from data_contracts.base import Result
from data_contracts.dataset import DatasetRef, read_kept
from data_contracts.errors import DatasetError
from data_contracts.results import Comparison, Delta, Interval, Outcome
from tasks.promotion.recipe import VersionRecord
from tasks.versions.diff import changed_options, diff_datasets

Compare = Callable[[pa.Table, pa.Table], Comparison]


class Figure(Result):
    """One measure of two versions; None where a version was not measured."""

    set: str
    measure: str
    first: float | None
    first_change: Interval | None  # tuned - base of the first version
    second: float | None
    second_change: Interval | None


class DatasetChange(Result):
    """How the rows differ that two versions were trained and tested on."""

    rows: tuple[int, int]
    unchanged: int
    added: int
    removed: int
    changed: int
    moved: int  # to another split
    documents: dict[str, tuple[int, int]]  # documents whose number of rows differs


class VersionComparison(Result):
    """Two registered versions side by side."""

    name: str
    versions: tuple[str, str]
    verdicts: tuple[Outcome, Outcome]
    figures: list[Figure]
    paired: list[Delta]  # second against first, on the rows that both were tested on
    not_paired: str | None  # why there is no such comparison
    dataset: DatasetChange | None  # None where they are equal
    not_diffed: str | None
    options: dict[str, tuple[Any, Any]]  # of the profile, where they differ
    libraries: dict[str, tuple[str | None, str | None]]
    base: tuple[str, str]
    code: tuple[str, str]


def compare_versions(
    first: VersionRecord, second: VersionRecord, compare: Compare
) -> VersionComparison:
    """Compare two versions by what was logged with them, and by their datasets where they lie here.

    Args:
        first: The older, or the present champion.
        second: The newer.
        compare: Compares the predictions of two models for the same rows.
    """
    recipes = (first.recipe, second.recipe)
    paired, not_paired = _paired(recipes[0].scores, recipes[1].scores, compare)
    dataset, not_diffed = _dataset(recipes[0].examples, recipes[1].examples)
    return VersionComparison(
        name=first.name,
        versions=(first.version, second.version),
        verdicts=(first.verdict.outcome, second.verdict.outcome),
        figures=_figures(first, second),
        paired=paired,
        not_paired=not_paired,
        dataset=dataset,
        not_diffed=not_diffed,
        options=changed_options(recipes[0].profile, recipes[1].profile),
        libraries=_changed(recipes[0].libraries, recipes[1].libraries),
        base=(recipes[0].base.fingerprint, recipes[1].base.fingerprint),
        code=(recipes[0].code, recipes[1].code),
    )


def _figures(first: VersionRecord, second: VersionRecord) -> list[Figure]:
    found = [
        {(d.set, d.measure): d for d in record.comparison.deltas if d.name == "all"}
        for record in (first, second)
    ]
    keys = sorted(found[0].keys() | found[1].keys())
    return [_figure(key, found[0].get(key), found[1].get(key)) for key in keys]


def _figure(key: tuple[str, str], first: Delta | None, second: Delta | None) -> Figure:
    return Figure(
        set=key[0],
        measure=key[1],
        first=first.tuned if first else None,
        first_change=first.delta if first else None,
        second=second.tuned if second else None,
        second_change=second.delta if second else None,
    )


def _paired(
    first: DatasetRef, second: DatasetRef, compare: Compare
) -> tuple[list[Delta], str | None]:
    """Compare the two models' predictions directly, where they are of the same rows."""
    absent = _absent(first, second)
    if absent:
        return [], absent
    try:
        found = compare(read_kept(first), read_kept(second))
    except DatasetError:
        return [], "The two were not tested on the same rows."
    return [delta for delta in found.deltas if delta.name == "all"], None


def _dataset(first: DatasetRef, second: DatasetRef) -> tuple[DatasetChange | None, str | None]:
    if first.content_sha256 == second.content_sha256:
        return None, None
    absent = _absent(first, second)
    if absent:
        return None, absent
    found = diff_datasets(read_kept(first), read_kept(second))
    change = DatasetChange(
        rows=found.rows,
        unchanged=found.unchanged,
        added=len(found.added),
        removed=len(found.removed),
        changed=len(found.changed),
        moved=len(found.moved),
        documents=dict(found.by_document),
    )
    return change, None


def _absent(*references: DatasetRef) -> str | None:
    for reference in references:
        if not Path(reference.folder).is_dir():
            return f"{reference.folder} is not on this machine; the run in MLflow names it."
    return None


def _changed(
    first: dict[str, str], second: dict[str, str]
) -> dict[str, tuple[str | None, str | None]]:
    names = sorted(first.keys() | second.keys())
    pairs = {name: (first.get(name), second.get(name)) for name in names}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
