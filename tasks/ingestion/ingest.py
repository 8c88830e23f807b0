"""Ingestion: files become a table of cleaned documents, however many there are."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from data_contracts.dataset import StageResult, count_reasons
from data_contracts.errors import DocumentsError
from data_contracts.schemas import DOCUMENT, SCHEMA_VERSION
from tasks.crew import OpenCrew
from tasks.forgotten import NOTHING_FORGOTTEN, Forgotten
from tasks.ingestion.clean import CleanText, remove_boilerplate
from tasks.ingestion.config import IngestionConfig
from tasks.ingestion.discover import Documents, describe, find_files
from tasks.ingestion.document import Row, columns, has_words
from tasks.ingestion.parse import DROPPED, ParsedFile, parse_files
from tasks.ingestion.parser import PageSpan, known_formats
from tasks.ingestion.shared_lines import find_boilerplate, line_hashes, sharing
from tasks.ingestion.sources import DocumentFile
from tasks.ingestion.table_file import TableFile
from tasks.remembered_rows import PartedTable, RememberedRows, UnitRows

# Raise when `line_hashes` gives other ones.
REMEMBERED_VERSION = 1

# The rows of a file as they are remembered: with the hashes of the text's lines.
_LINES = pa.field("lines", pa.list_(pa.uint64()))
_PARSED = DOCUMENT.append(_LINES)


def ingest_documents(
    documents: Documents,
    config: IngestionConfig,
    cache: Path,
    forgotten: Forgotten = NOTHING_FORGOTTEN,
    files: Sequence[DocumentFile] | None = None,
    cluster: OpenCrew | None = None,
) -> StageResult:
    """Read, parse and clean every file of the sources.

    A row is a document, or what failed to be one: a file, or a member of an archive or
    e-mail. So `rows_in` counts rows, not files, and an archive counts as its members only.
    Parsing is cached file by file; the lines that documents share are found anew each time.
    The tables are mapped from files; what is unchanged is not read.

    Args:
        documents: A folder, a file, a glob or an fsspec address; or several of them.
        config: Options.
        cache: Folder of the parsed documents.
        forgotten: Documents that are not to be read.
        files: The files of the sources, where they are listed already.
        cluster: Opens processes of other machines that parse instead of those of this one.

    Raises:
        ConfigError: The cluster cannot be had, or would make other rows.
        DocumentsError: A source is missing or empty, or no file yields a document.
        EngineError: The cluster was lost.
        StorageError: The cache cannot be written.
    """
    files = find_files(documents, config) if files is None else files
    basis = [REMEMBERED_VERSION, SCHEMA_VERSION, forgotten.digest()]
    remembered = RememberedRows(cache, basis, _PARSED, DROPPED)
    parsed = parse_files(files, config, cache, forgotten, remembered, cluster)
    rows = remembered.rows([file.name for file in parsed], partial(_read_rows, parsed, cache))
    texts, lines = (rows.kept.table.column(name) for name in ("text", _LINES.name))
    repeated = _repeated(rows.kept.table)
    counted = np.ones(len(texts), np.bool_)
    counted[list(repeated.copies)] = False
    boilerplate = find_boilerplate(texts, lines, counted, config)
    changed = sharing(lines, boilerplate) | _unwanted(rows.kept.table, config.languages)
    changed[[*repeated.copies, *repeated.same_name]] = True
    finish = partial(_finish, boilerplate=frozenset(boilerplate), languages=config.languages)
    kept, dropped = _finished(rows, changed, partial(_final, repeated, finish), cache)
    if not kept.num_rows:
        raise _nothing_kept(documents, len(files), dropped)
    return StageResult(
        kept=kept,
        dropped=dropped,
        rows_in=kept.num_rows + dropped.num_rows,
        figures={
            "files": float(len(files)),
            "boilerplate_lines": float(len(boilerplate)),
            **_figures(kept),
        },
        artifacts={"boilerplate.json": json.dumps(boilerplate, indent=2, ensure_ascii=False)},
    )


def _read_rows(parsed: Sequence[ParsedFile], cache: Path, places: list[int]) -> UnitRows:
    """Return the rows of some files, mapped from a file: they may be larger than memory."""
    counts = []
    with TableFile(cache, _PARSED) as kept, TableFile(cache, DROPPED) as dropped:
        for place in places:
            partition = parsed[place].read()
            counts.append((partition.kept.num_rows, partition.dropped.num_rows))
            rows = partition.kept.to_pylist()
            kept.append([row | {_LINES.name: line_hashes(row["text"])} for row in rows])
            dropped.append(partition.dropped.to_pylist())
        numbers = np.array(counts, np.int64).reshape(-1, 2).T
        return UnitRows(
            PartedTable(kept.table(), numbers[0]), PartedTable(dropped.table(), numbers[1])
        )


@dataclass
class _Repeated:
    """Places of rows that are dropped because of an earlier one.

    Attributes:
        copies: Of a document to the identifier of the first one with the same bytes.
        same_name: Of documents whose path an earlier one has.
    """

    copies: dict[int, str] = field(default_factory=dict)
    same_name: set[int] = field(default_factory=set)


def _repeated(rows: pa.Table) -> _Repeated:
    """Find copies; of equal ones the first in the order of the paths is kept."""
    found, names, hashes = _Repeated(), set[str](), dict[str, str]()
    columns = (rows.column(name).to_pylist() for name in ("document_id", "sha256"))
    for place, (name, sha256) in enumerate(zip(*columns, strict=True)):
        if name in names:
            found.same_name.add(place)
            continue
        names.add(name)
        first = hashes.setdefault(sha256, name)
        if first != name:
            found.copies[place] = first
    return found


def _unwanted(rows: pa.Table, languages: Sequence[str]) -> NDArray[np.bool_]:
    """Return which documents are in a language that is not wanted."""
    spoken = rows.column("language")
    if not languages:
        return np.zeros(len(spoken), np.bool_)
    wanted = pc.is_in(spoken, pa.array(list(languages), pa.string()))
    return pc.and_(pc.is_valid(spoken), pc.invert(wanted)).to_numpy()


def _final(repeated: _Repeated, finish: Callable[[Row], Row], row: Row, place: int) -> Row:
    """Return a row as it is kept, or dropped with a reason."""
    return _drop_repeated(row, place, repeated) or finish(row)


def _finished(
    rows: UnitRows,
    changed: NDArray[np.bool_],
    final: Callable[[Row, int], Row],
    cache: Path,
) -> tuple[pa.Table, pa.Table]:
    """Return the rows kept and dropped; those that do not change are not looked at."""
    parsed = rows.kept.table.select(DOCUMENT.names)
    places = np.flatnonzero(changed)
    if not places.size:
        return parsed, rows.dropped.table
    with TableFile(cache, DOCUMENT) as kept, TableFile(cache, DROPPED) as dropped:
        dropped.append_table(rows.dropped.table)
        before = 0
        for place in places.tolist():
            if place > before:
                kept.append_table(parsed.slice(before, place - before))
            [row] = parsed.slice(place, 1).to_pylist()
            decided = final(row, place)
            (dropped if decided.get("reason") else kept).append([decided])
            before = place + 1
        kept.append_table(parsed.slice(before))
        return kept.table(), dropped.table()


def _figures(kept: pa.Table) -> dict[str, float]:
    """Count characters, changes of each kind (`changes.encoding`) and languages."""
    tally = Counter[str]()
    for spoken in kept.column("language").to_pylist():
        tally[f"language.{spoken or 'unknown'}"] += 1
    changes: Any = pc.list_flatten(kept.column("changes"))
    columns = (pc.struct_field(changes, name).to_pylist() for name in ("kind", "count"))
    for kind, count in zip(*columns, strict=True):
        tally[f"changes.{kind}"] += count
    characters = pc.sum(pc.utf8_length(kept.column("text"))).as_py() or 0
    counts = {name: float(n) for name, n in sorted(tally.items())}
    return {"characters": float(characters), **counts}


def _drop_repeated(row: Row, place: int, repeated: _Repeated) -> Row | None:
    """Return the dropped form of a row if an earlier one has its bytes or its path."""
    if place in repeated.same_name:
        detail = "Another document has the same path."
        return row | {"reason": "duplicate_name", "detail": detail}
    first = repeated.copies.get(place)
    if first is None:
        return None
    detail = "Another file has the same bytes."
    return row | {"reason": "duplicate_file", "detail": detail, "duplicate_of": first}


def _finish(row: Row, boilerplate: frozenset[str], languages: Sequence[str]) -> Row:
    """Take shared lines out of a document; one that is not wanted then gets a reason."""
    if languages and row["language"] and row["language"] not in languages:
        detail = f"It is in {row['language']}; ingestion.languages names {', '.join(languages)}."
        return row | {"reason": "other_language", "detail": detail}
    pages = tuple(PageSpan(**page) for page in row["pages"])
    changes = {change["kind"]: change["count"] for change in row["changes"]}
    clean = CleanText(row["text"], pages, changes)
    changed = row | columns(remove_boilerplate(clean, boilerplate))
    if has_words(changed["text"]):
        return changed
    detail = "It holds only lines that many documents share."
    return changed | {"reason": "no_text", "detail": detail}


def _nothing_kept(documents: Documents, files: int, dropped: pa.Table) -> DocumentsError:
    reasons = ", ".join(f"{n} {reason}" for reason, n in count_reasons(dropped).items())
    return DocumentsError(
        f"None of the {files} files in {describe(documents)} yields a document: {reasons}. "
        f"Expected text in {known_formats()}; or ZIP archives, e-mails (EML) or mailboxes (mbox) "
        "with these."
    )
