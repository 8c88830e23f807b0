"""Writes a finished dataset in the form that another tool reads: one file a split."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data_contracts.errors import ConfigError, StorageError
from data_contracts.suites import SPLITS
from tasks.interchange.format import Fields, WritableFormat
from tasks.scrubbing.scrub import Scrubbed

# What a model sees; all other columns say where a row comes from and what is known about it.
_TEXTS = ("history", "context", "question", "answer")
# Of rows that no split has been made for.
_UNDIVIDED = "data"

LINEAGE = "lineage"


def export_examples(examples: pa.Table, form: WritableFormat, folder: Path) -> list[Path]:
    """Write one file for each split, and beside it where each of its records comes from.

    Formats that have no place for lineage get it as `lineage/<split>.parquet`, one row a
    record in the same order; `line` counts from 1.

    Input columns: all of EXAMPLE.

    Args:
        examples: The rows.
        form: The form to write.
        folder: Where to write; made if it does not exist.

    Raises:
        CannotHold: The form has no place for something in a row; nothing is written.
        ConfigError: There is no row, or files of that name are there already.
        StorageError: The files cannot be written.
    """
    if not examples.num_rows:
        raise ConfigError("There is no row to export. Ask for other splits, or build again.")
    parts = {name: rows for name, rows in by_split(examples)}
    written = [folder / f"{name}{form.extension}" for name in parts]
    existing = [path.name for path in written if path.exists()]
    if existing:
        raise ConfigError(
            f"{folder} already holds {', '.join(existing)}. Nothing is overwritten: name another "
            "folder, or delete the files first."
        )
    fields = needed_fields(examples, form)  # looks at every row before anything is written
    _write(form, fields, parts, written)
    return written


def needed_fields(examples: pa.Table, form: WritableFormat) -> Fields:
    """Return the optional fields of a form that some row needs.

    Raises:
        CannotHold: The form has no place for something in a row.
    """
    return frozenset().union(*(form.needed(row) for row in _rows(examples)))


def by_split(examples: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    """Yield the name of each split with its rows: train, validation, test, then any other."""
    splits = pa.array([str(name or _UNDIVIDED) for name in examples["split"].to_pylist()])
    names = set(map(str, splits.to_pylist()))
    for name in [*(n for n in SPLITS if n in names), *sorted(names.difference(SPLITS))]:
        yield name, examples.filter(pc.equal(splits, pa.scalar(name)))


def only_splits(examples: pa.Table, splits: Iterable[str]) -> pa.Table:
    """Return the rows of some splits; all rows if none is named.

    Raises:
        ConfigError: There is no such split; the message names those there are.
    """
    wanted = list(dict.fromkeys(splits))
    known = [name for name, _ in by_split(examples)]
    for name in wanted:
        if name not in known:
            raise ConfigError(f"There is no split {name!r}. Splits: {', '.join(known)}.")
    if not wanted:
        return examples
    return examples.filter(pc.is_in(examples["split"], pa.array(wanted)))


def scrubbed(
    examples: pa.Table, scrub: Callable[[str], Scrubbed]
) -> tuple[pa.Table, dict[str, int]]:
    """Return the rows with every text scrubbed, and how much of each kind was taken out."""
    counts: Counter[str] = Counter()

    def clean(text: str) -> str:
        found = scrub(text)
        counts.update(found.counts)
        return found.text

    rows = [_cleaned(row, clean) for row in _rows(examples)]
    return pa.Table.from_pylist(rows, examples.schema), dict(counts)


def _cleaned(row: dict[str, Any], clean: Callable[[str], str]) -> dict[str, Any]:
    history = [{**turn, "content": clean(turn["content"])} for turn in row["history"]]
    context = clean(row["context"]) if row["context"] else row["context"]
    texts = {"question": clean(row["question"]), "answer": clean(row["answer"])}
    return {**row, **texts, "history": history, "context": context}


def _rows(table: pa.Table) -> Iterator[dict[str, Any]]:
    for batch in table.to_batches(max_chunksize=1_000):
        yield from batch.to_pylist()


def _write(
    form: WritableFormat, fields: Fields, parts: Mapping[str, pa.Table], paths: list[Path]
) -> None:
    try:
        for (name, rows), path in zip(parts.items(), paths, strict=True):
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_name(f".{path.name}.partial")
            form.save(_rows(rows), fields, partial)
            if form.extension != ".parquet":
                _write_lineage(rows, path.parent / LINEAGE / f"{name}.parquet")
            partial.replace(path)
    except OSError as error:
        raise StorageError(
            f"Cannot write the export to {paths[0].parent}: {error}. Free disk space or name "
            "another folder."
        ) from error


def _write_lineage(rows: pa.Table, path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    lines = pa.array(range(1, rows.num_rows + 1), pa.int64())
    lineage = rows.drop_columns(list(_TEXTS)).add_column(0, "line", lines)
    pq.write_table(lineage, path, compression="zstd")
