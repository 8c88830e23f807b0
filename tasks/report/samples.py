"""Picks the few rows that the report shows out of a dataset's tables.

The choice depends on the rows alone, so the same dataset always shows the same rows.
"""

from collections.abc import Mapping
from itertools import zip_longest
from typing import Any

import pyarrow as pa

from tasks.report.content import DroppedRow, SampleRow

# What names a row for a reader, by the first column of these that the table has and fills.
_NAMING_COLUMNS = ("question", "path", "text", "title", "example_id", "chunk_id", "document_id")
_SPLITS = ("train", "validation", "test")


def dropped_samples(dropped: pa.Table, limit: int = 8) -> list[DroppedRow]:
    """Return up to `limit` dropped rows: one of every reason first, then second ones, ...

    Args:
        dropped: Rows in `dropped_schema` of any stage.
        limit: Most rows to return.
    """
    by_reason: dict[str, list[dict[str, Any]]] = {}
    for row in dropped.to_pylist():
        by_reason.setdefault(row["reason"], []).append(row)
    rounds = zip_longest(*(by_reason[reason][:limit] for reason in sorted(by_reason)))
    chosen = [row for round_ in rounds for row in round_ if row is not None]
    return [_dropped_row(row) for row in chosen[:limit]]


def _dropped_row(row: Mapping[str, Any]) -> DroppedRow:
    what = next((row[name] for name in _NAMING_COLUMNS if row.get(name)), "(unnamed row)")
    return DroppedRow(
        what=what,
        reason=row["reason"],
        detail=row["detail"],
        duplicate_of=row["duplicate_of"],
        similarity=row["similarity"],
    )


def sample_rows(
    examples: pa.Table, paths: Mapping[str, str], per_split: int = 3
) -> list[SampleRow]:
    """Return rows spread evenly over each split, in the table's order.

    Args:
        examples: Rows in the `EXAMPLE` schema.
        paths: Document identifier to the document's path.
        per_split: Most rows to take from each split.
    """
    chosen: list[SampleRow] = []
    for split in _SPLITS:
        rows = [row for row in examples.to_pylist() if row["split"] == split]
        count = min(per_split, len(rows))
        picked = (rows[(2 * i + 1) * len(rows) // (2 * count)] for i in range(count))
        chosen.extend(_sample_row(row, paths) for row in picked)
    return chosen


def _sample_row(row: Mapping[str, Any], paths: Mapping[str, str]) -> SampleRow:
    shown = {name: row[name] for name in SampleRow.model_fields if name != "document"}
    return SampleRow(document=paths.get(row["document_id"], row["document_id"]), **shown)
