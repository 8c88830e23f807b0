"""What changed between two versions of a dataset, row by row."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from data_contracts.schemas import EXAMPLE
from tasks.text.normalise import normalise

Row = Mapping[str, Any]

# Two rows are one row that changed if they agree in one of these, looked at in this order:
# another answer, another chunk of the document, another wording of the question.
_SAME_ROW = (
    ("document_id", "chunk_id", "kind", "generator", "parent_id", "question"),
    ("document_id", "kind", "generator", "question"),
    ("document_id", "chunk_id", "kind", "generator", "parent_id", "answer"),
)
# What a model is trained on; changes elsewhere (scores, spans, groups) are no other row.
_CONTENT = ("history", "context", "question", "answer", "kind")
_TRAINING = "train"
_HELD_OUT = ("test", "validation")


@dataclass(frozen=True)
class ChangedRow:
    """A row that both versions have, with other content.

    Attributes:
        before: The old row.
        after: The new row.
        columns: What differs.
    """

    before: Row
    after: Row
    columns: tuple[str, ...]


@dataclass(frozen=True)
class DatasetDiff:
    """What changed between two versions.

    Attributes:
        rows: Number of rows, old and new.
        unchanged: Rows with the same content in both, whatever their split.
        added: Rows that only the new version has.
        removed: Rows that only the old version has.
        changed: Rows of both with other content.
        moved: Rows of both in another split.
        leaked: Of `moved`, what was held out and is now trained on. Splits are stable, so
            there must be none.
        now_trained: Questions that only the old test set asked and that the new training
            set asks, whatever row they belong to.
        by_document: Rows of each document, old and new, where the number differs.
        by_kind: Rows of each kind, old and new.
        by_split: Rows of each split, old and new.
    """

    rows: tuple[int, int]
    unchanged: int
    added: tuple[Row, ...]
    removed: tuple[Row, ...]
    changed: tuple[ChangedRow, ...]
    moved: tuple[ChangedRow, ...]
    leaked: tuple[ChangedRow, ...]
    now_trained: tuple[str, ...]
    by_document: Mapping[str, tuple[int, int]]
    by_kind: Mapping[str, tuple[int, int]]
    by_split: Mapping[str, tuple[int, int]]


def diff_datasets(old: pa.Table, new: pa.Table) -> DatasetDiff:
    """Compare two versions of a dataset of examples.

    Rows are matched by `example_id`; of what is left, rows of the same origin (document,
    chunk, kind, generator) with the same question, or else the same answer, are one row
    that changed. Columns that one version lacks count as null there.

    Input columns: EXAMPLE, of this or an older schema version.

    Args:
        old: The earlier version.
        new: The later version.
    """
    before, after = _rows(old), _rows(new)
    pairs, removed, added = _matched(before, after)
    compared = [ChangedRow(a, b, _differing(a, b)) for a, b in pairs]
    changed = tuple(pair for pair in compared if pair.columns)
    moved = tuple(pair for pair in compared if _moves(pair))
    return DatasetDiff(
        rows=(len(before), len(after)),
        unchanged=len(compared) - len(changed),
        added=tuple(added),
        removed=tuple(removed),
        changed=changed,
        moved=moved,
        leaked=tuple(pair for pair in moved if _leaks(pair)),
        now_trained=_now_trained(before, after),
        by_document={k: n for k, n in _counts(before, after, "document_id") if n[0] != n[1]},
        by_kind=dict(_counts(before, after, "kind")),
        by_split=dict(_counts(before, after, "split")),
    )


def changed_counts(old: Mapping[str, int], new: Mapping[str, int]) -> dict[str, tuple[int, int]]:
    """Return the counts that differ, e.g. of the reasons for which rows were dropped."""
    names = [*old, *(name for name in new if name not in old)]
    both = {name: (old.get(name, 0), new.get(name, 0)) for name in names}
    return {name: counts for name, counts in both.items() if counts[0] != counts[1]}


def changed_options(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return the options, as `a.b.c`, that two configurations give different values."""
    before, after = dict(_flat(old)), dict(_flat(new))
    names = [*before, *(name for name in after if name not in before)]
    both = {name: (before.get(name), after.get(name)) for name in names}
    return {name: values for name, values in both.items() if values[0] != values[1]}


def _flat(values: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(values, Mapping):
        for name, value in values.items():
            yield from _flat(value, f"{prefix}.{name}" if prefix else str(name))
    else:
        yield prefix, values


def _rows(table: pa.Table) -> list[Row]:
    blank = dict.fromkeys(EXAMPLE.names)
    return [blank | row for row in table.to_pylist()]


def _matched(
    before: Sequence[Row], after: Sequence[Row]
) -> tuple[list[tuple[Row, Row]], list[Row], list[Row]]:
    """Return the pairs of rows that are one, and what is left of each side."""
    pairs: list[tuple[Row, Row]] = []
    old, new = list(before), list(after)
    for columns in (("example_id",), *_SAME_ROW):
        found, old, new = _paired(old, new, columns)
        pairs += found
    return pairs, old, new


def _paired(
    old: Sequence[Row], new: Sequence[Row], columns: Sequence[str]
) -> tuple[list[tuple[Row, Row]], list[Row], list[Row]]:
    """Pair rows that agree in some columns, in their order, each with one other."""
    waiting: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in reversed(old):
        waiting[_key(row, columns)].append(row)
    pairs, added = [], []
    for row in new:
        partners = waiting.get(_key(row, columns))
        if partners:
            pairs.append((partners.pop(), row))
        else:
            added.append(row)
    taken = {id(a) for a, _ in pairs}
    return pairs, [row for row in old if id(row) not in taken], added


def _key(row: Row, columns: Sequence[str]) -> tuple[Any, ...]:
    return tuple(row[column] for column in columns)


def _differing(before: Row, after: Row) -> tuple[str, ...]:
    return tuple(column for column in _CONTENT if before[column] != after[column])


def _moves(pair: ChangedRow) -> bool:
    """Whether a row is in another split; one that was not yet divided has none to leave."""
    before, after = pair.before["split"], pair.after["split"]
    return None not in (before, after) and before != after


def _leaks(pair: ChangedRow) -> bool:
    return pair.before["split"] in _HELD_OUT and pair.after["split"] == _TRAINING


def _now_trained(before: Iterable[Row], after: Iterable[Row]) -> tuple[str, ...]:
    old_test = _questions(before, "test")
    old_train = _questions(before, _TRAINING)
    new_train = _questions(after, _TRAINING)
    return tuple(
        question
        for normal, question in old_test.items()
        if normal in new_train and normal not in old_train
    )


def _questions(rows: Iterable[Row], split: str) -> dict[str, str]:
    return {normalise(row["question"]): row["question"] for row in rows if row["split"] == split}


def _counts(
    before: Iterable[Row], after: Iterable[Row], column: str
) -> Iterator[tuple[str, tuple[int, int]]]:
    old = Counter(str(row[column]) for row in before)
    new = Counter(str(row[column]) for row in after)
    for name in sorted(old.keys() | new.keys()):
        yield name, (old[name], new[name])
