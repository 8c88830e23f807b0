"""Rows from datasets that exist already: read, clean, check.

Each file is a partition of its own, kept on disk: an unchanged file is not read again.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from data_contracts.base import canonical_json, digest, file_sha256
from data_contracts.dataset import StageResult, count_reasons
from data_contracts.errors import TooFewRows
from data_contracts.schemas import EXAMPLE, SCHEMA_VERSION, dropped_schema
from tasks.interchange.config import DatasetSource, ImportConfig
from tasks.interchange.files import read_records
from tasks.interchange.find_form import with_form
from tasks.interchange.format import Format, format_name
from tasks.interchange.locate import LocatedSource, named
from tasks.interchange.rows import FileRows, TextTools
from tasks.interchange.sources import DatasetFile, card_licence
from tasks.partitions import Partition, cached_partition
from tasks.progress import track

# Raise when this package gives other rows for the same files and configuration.
VERSION = 2

SOURCES = "sources.json"

# Under this name a file's partition holds what scrubbing took out of it, by kind.
_SCRUBBED = b"temper.scrubbed"


def import_datasets(
    sources: Sequence[LocatedSource],
    config: ImportConfig,
    tools: TextTools,
    tools_key: str,
    cache: Path,
) -> StageResult:
    """Make rows of the records of existing datasets.

    A record stands for a document of its own, unless its source names a field that says
    which records belong together. Their own splits are kept on the rows as a flag,
    `source_split:test`, for information: the rows are divided anew.

    Output columns: EXAMPLE, with `grounding` null: there is no passage to check against.

    Args:
        sources: The datasets.
        config: Which records become rows.
        tools: What is done with every text.
        tools_key: Names what `tools` does: a changed key makes all rows anew.
        cache: Folder for finished files.

    Raises:
        ConfigError: The records of a file are of no known form.
        DatasetError: A file cannot be read.
        StorageError: The cache cannot be written.
        TooFewRows: Not one row was kept.
    """
    work = [(located, file) for located in sources for file in located.files]
    partitions = []
    for located, file in track(work, "Importing datasets", len(work)):
        key = _key(file, located.source, config, tools_key)
        make = partial(_file_rows, file, located.source, config, tools)
        partitions.append(cached_partition(cache, key, make))
    scrubbed = _scrubbed(partitions)
    kept = pa.concat_tables(
        [EXAMPLE.empty_table(), *(p.kept.replace_schema_metadata(None) for p in partitions)]
    )
    dropped = pa.concat_tables(
        [dropped_schema(EXAMPLE).empty_table(), *(p.dropped for p in partitions)]
    )
    return _result(kept, dropped, scrubbed, sources)


def _scrubbed(partitions: Sequence[Partition]) -> dict[str, float]:
    counts: Counter[str] = Counter()
    for partition in partitions:
        metadata = partition.kept.schema.metadata or {}
        counts.update(json.loads(metadata.get(_SCRUBBED, b"{}")))
    return {f"scrubbed.{kind}": float(count) for kind, count in sorted(counts.items())}


def _key(file: DatasetFile, source: DatasetSource, config: ImportConfig, tools_key: str) -> str:
    options = source.model_dump(mode="json", exclude={"path", "licence"})
    bounds = config.model_dump(mode="json", exclude={"sources"})
    content = [file.name, file.split, file_sha256(file.path)]
    return digest([VERSION, SCHEMA_VERSION, content, options, bounds, tools_key])


def _file_rows(
    file: DatasetFile, source: DatasetSource, config: ImportConfig, tools: TextTools
) -> Partition:
    form, records = source.form, read_records(file.path, source.encoding)
    if form is None:
        form, records = with_form(file, records)
    if form is None:  # not one record
        return Partition(EXAMPLE.empty_table(), dropped_schema(EXAMPLE).empty_table())
    rows = FileRows(file, source, form, config, tools)
    for record in records:
        rows.add(record)
    kept, dropped = rows.tables()
    counts = canonical_json(dict(rows.scrubbed))
    return Partition(kept.replace_schema_metadata({_SCRUBBED: counts}), dropped)


def _result(
    kept: pa.Table,
    dropped: pa.Table,
    scrubbed: Mapping[str, float],
    sources: Sequence[LocatedSource],
) -> StageResult:
    kept, repeated = _without_repeated(kept)
    dropped = pa.concat_tables([dropped, repeated])
    if not kept.num_rows:
        reasons = ", ".join(f"{n} {reason}" for reason, n in count_reasons(dropped).items())
        first = f" The first: {dropped['detail'][0]}" if dropped.num_rows else ""
        raise TooFewRows(
            f"No row came out of {_names(sources)}: {dropped.num_rows} dropped "
            f"({reasons or 'the files hold no record'}).{first}"
        )
    return StageResult(
        kept=kept,
        dropped=dropped,
        rows_in=kept.num_rows + dropped.num_rows,
        figures={**_figures(kept), **scrubbed},
        artifacts={SOURCES: _described(sources, kept)},
    )


def _without_repeated(kept: pa.Table) -> tuple[pa.Table, pa.Table]:
    """Return the first row of each conversation, and the repetitions as dropped rows."""
    first: dict[str, int] = {}
    repeats = []
    for position, example_id in enumerate(map(str, kept["example_id"].to_pylist())):
        if first.setdefault(example_id, position) != position:
            repeats.append(position)
    if not repeats:  # the usual case; taking rows copies them
        return kept, dropped_schema(EXAMPLE).empty_table()
    rows = kept.take(pa.array(repeats, pa.int64())).to_pylist()
    origins = kept.take(pa.array([first[r["example_id"]] for r in rows], pa.int64()))
    why = [
        {
            "reason": "duplicate",
            "detail": f"{row['chunk_id']}: the same as {origin}.",
            "duplicate_of": row["example_id"],
            "similarity": 1.0,
        }
        for row, origin in zip(rows, origins["chunk_id"].to_pylist(), strict=True)
    ]
    repeated = [row | reason for row, reason in zip(rows, why, strict=True)]
    keep = pa.array(sorted(first.values()), pa.int64())
    return kept.take(keep), pa.Table.from_pylist(repeated, dropped_schema(EXAMPLE))


def _figures(kept: pa.Table) -> dict[str, float]:
    figures = {f"rows.{kind}": float(n) for kind, n in Counter(kept["kind"].to_pylist()).items()}
    flags = pc.list_flatten(kept["flags"]).to_pylist()
    figures |= {f"rows.{flag.replace(':', '.')}": n for flag, n in Counter(map(str, flags)).items()}
    return figures | {"records": float(len(pc.unique(kept["chunk_id"])))}


def _described(sources: Sequence[LocatedSource], kept: pa.Table) -> str:
    """Return what came in, as JSON: files, licences, rows."""
    rows = Counter(str(chunk).rpartition("#")[0] for chunk in kept["chunk_id"].to_pylist())
    return canonical_json(
        [
            {
                "path": named(located.source),
                "format": _form_name(located.source.form),
                "licence": located.source.licence or card_licence(located.folder),
                "files": [
                    {
                        "name": f.name,
                        "sha256": file_sha256(f.path),
                        "split": f.split,
                        "rows": rows[f.name],
                    }
                    for f in located.files
                ],
            }
            for located in sources
        ]
    )


def _form_name(form: Format | None) -> str:
    return format_name(form) if form is not None else "auto"


def _names(sources: Sequence[LocatedSource]) -> str:
    return ", ".join(located.source.path for located in sources) or "no sources at all"
