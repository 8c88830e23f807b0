"""Picks the few rows that the report shows out of a dataset's tables.

The choice depends on the rows alone, so the same dataset always shows the same rows.
"""

from collections.abc import Mapping, Sequence
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
    by_reason: dict[str, list[int]] = {}
    for place, reason in enumerate(dropped.column("reason").to_pylist()):
        by_reason.setdefault(str(reason), []).append(place)
    rounds = zip_longest(*(by_reason[reason][:limit] for reason in sorted(by_reason)))
    chosen = [place for round_ in rounds for place in round_ if place is not None]
    return [_dropped_row(row) for row in _rows(dropped, chosen[:limit])]


def _rows(table: pa.Table, places: Sequence[int]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = table.take(pa.array(places, pa.int64())).to_pylist()
    return rows


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
    splits = examples.column("split").to_pylist()
    chosen: list[int] = []
    for split in _SPLITS:
        places = [place for place, name in enumerate(splits) if name == split]
        count = min(per_split, len(places))
        chosen += [places[(2 * i + 1) * len(places) // (2 * count)] for i in range(count)]
    return [_sample_row(row, paths) for row in _rows(examples, chosen)]


def _sample_row(row: Mapping[str, Any], paths: Mapping[str, str]) -> SampleRow:
    shown = {name: row[name] for name in SampleRow.model_fields if name != "document"}
    return SampleRow(document=paths.get(row["document_id"], row["document_id"]), **shown)
