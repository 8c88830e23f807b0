"""Checks of new rows that need the whole dataset: repetitions, leaks, the share of variants."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from data_contracts.base import digest
from data_contracts.schemas import EXAMPLE
from tasks.augmentation.checks import Finding, likeness
from tasks.augmentation.config import AugmentationConfig
from tasks.augmentation.document import dropped, near, question_key, repeating, said
from tasks.augmentation.leaks import COMPARED, Leak, find_leaks
from tasks.text.alike import earlier_alike
from tasks.text.rows import RowTexts, shingle_features

Row = dict[str, Any]
Checked = tuple[list[Row], list[Row]]


def check_across(new: Sequence[Row], examples: pa.Table, config: AugmentationConfig) -> Checked:
    """Return new rows kept, and those dropped because of rows of other documents.

    Args:
        new: New rows in the order of their documents: of two that repeat each other the first
            is kept.
        examples: All rows that came in.
        config: Thresholds and the highest share of variants.
    """
    kept, gone = list(new), []
    steps: list[Callable[[Sequence[Row]], Checked]] = [
        lambda rows: _without_repeated(rows, examples),
        lambda rows: without_near(rows, config, "variants"),
        lambda rows: without_leaks(rows, examples, config),
        lambda rows: _within_share(rows, examples, config),
    ]
    for step in steps:
        kept, more = step(kept)
        gone += more
    return kept, gone


def _without_repeated(rows: Sequence[Row], examples: pa.Table) -> Checked:
    """Drop what asks a question that any row of the dataset asks."""
    columns = ["question", "context", "example_id"]
    given = examples.select(columns).to_pylist()
    parents = {row["example_id"]: row for row in given}
    ordered = sorted(given, key=lambda row: str(row["example_id"]), reverse=True)
    asked: dict[tuple[str, str | None], str] = {
        (row["question"], None): row["example_id"] for row in ordered
    }
    kept, gone = [], []
    for row in rows:
        key = question_key(row, parents.get(row["parent_id"], row))
        earlier = asked.setdefault(key, row["example_id"])
        if earlier == row["example_id"]:
            kept.append(row)
        else:
            gone.append(repeating(row, earlier))
    return kept, gone


def without_near(rows: Sequence[Row], config: AugmentationConfig, use: str) -> Checked:
    """Drop every row that says nearly what an earlier one that is kept says.

    Args:
        rows: The rows.
        config: From what similarity on.
        use: Names the rows, for what is remembered of them.
    """
    kept: list[Row] = []
    gone: list[Row] = []
    stays: set[int] = set()
    for at, others in enumerate(_alike(rows, config, use)):
        found = [(likeness(said(rows[at]), said(rows[o]), config), o) for o in others if o in stays]
        most, other = max(found, default=(0.0, -1))
        if most >= config.duplicate_threshold:
            gone.append(near(rows[at], rows[other]["example_id"], most))
        else:
            stays.add(at)
            kept.append(rows[at])
    return kept, gone


def _alike(rows: Sequence[Row], config: AugmentationConfig, use: str) -> list[list[int]]:
    """Return for each row the positions of earlier rows that reach the threshold."""
    table = _table(rows, ("history", "question", "answer"))
    features = shingle_features(RowTexts(table).said, config.similarity)
    return earlier_alike(features, config.duplicate_threshold, use)


def _table(rows: Sequence[Row], columns: Sequence[str]) -> pa.Table:
    """Return some columns of rows as a table."""
    schema = pa.schema([EXAMPLE.field(name) for name in columns])
    return pa.Table.from_pylist([{name: row[name] for name in columns} for row in rows], schema)


def without_leaks(rows: Sequence[Row], examples: pa.Table, config: AugmentationConfig) -> Checked:
    """Drop what comes too close to a held-out row."""
    candidates = _table(rows, COMPARED)
    leaks: Mapping[int, Leak] = find_leaks(candidates, examples, config.similarity)
    kept = [row for at, row in enumerate(rows) if at not in leaks]
    return kept, [_leaking(rows[at], leak) for at, leak in sorted(leaks.items())]


def _leaking(row: Row, leak: Leak) -> Row:
    detail = f"Too close to held-out row {leak.held_out_id} by {leak.detector}: {leak.measure:.2f}."
    finding = Finding(None, "near_held_out", detail, min(leak.measure, 1.0))
    return dropped(row, finding, leak.held_out_id)


def _within_share(rows: Sequence[Row], examples: pa.Table, config: AugmentationConfig) -> Checked:
    """Drop variants above the highest share, chosen by hash."""
    own = examples.column("split").to_pylist().count("train")
    most = math.floor(config.max_share / (1 - config.max_share) * own + 1e-9)
    if len(rows) <= most:
        return list(rows), []
    ranked = sorted(rows, key=lambda row: digest([config.seed, "share", row["example_id"]]))
    surplus = {row["example_id"] for row in ranked[most:]}
    detail = f"Variants may be {config.max_share:.0%} of the training rows at most."
    finding = Finding(None, "over_share", detail)
    kept = [row for row in rows if row["example_id"] not in surplus]
    return kept, [dropped(row, finding) for row in rows if row["example_id"] in surplus]
