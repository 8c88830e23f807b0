"""Ingestion: files become a table of cleaned documents, however many there are."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pyarrow as pa

from data_contracts.dataset import StageResult, count_reasons
from data_contracts.errors import DocumentsError
from data_contracts.schemas import DOCUMENT
from tasks.ingestion.clean import CleanText, find_boilerplate, remove_boilerplate
from tasks.ingestion.config import IngestionConfig
from tasks.ingestion.discover import Documents, describe, find_files
from tasks.ingestion.document import Row, columns, has_words
from tasks.ingestion.forgotten import NOTHING_FORGOTTEN, Forgotten
from tasks.ingestion.parse import DROPPED, ParsedFile, parse_files
from tasks.ingestion.parser import PageSpan, known_formats
from tasks.ingestion.sources import DocumentFile
from tasks.ingestion.table_file import TableFile

# Bytes of parsed documents that are read once and kept while they are gone through.
_MOST_IN_MEMORY = 256 << 20


def ingest_documents(
    documents: Documents,
    config: IngestionConfig,
    cache: Path,
    forgotten: Forgotten = NOTHING_FORGOTTEN,
    files: Sequence[DocumentFile] | None = None,
) -> StageResult:
    """Read, parse and clean every file of the sources.

    A row is a document, or what failed to be one: a file, or a member of an archive or
    e-mail. So `rows_in` counts rows, not files, and an archive counts as its members only.
    Parsing is cached file by file; the lines that documents share are found anew each time.
    So much of the documents is in memory and no more (`_MOST_IN_MEMORY`); the tables are mapped
    from files.

    Args:
        documents: A folder, a file, a glob or an fsspec address; or several of them.
        config: Options.
        cache: Folder of the parsed documents.
        forgotten: Documents that are not to be read.
        files: The files of the sources, where they are listed already.

    Raises:
        DocumentsError: A source is missing or empty, or no file yields a document.
        StorageError: The cache cannot be written.
    """
    files = find_files(documents, config) if files is None else files
    parsed = _in_memory(parse_files(files, config, cache, forgotten))
    repeated = _repeated(parsed)
    boilerplate = find_boilerplate(_Texts(parsed, repeated), config)
    finish = partial(_finish, boilerplate=frozenset(boilerplate), languages=config.languages)
    with TableFile(cache, DOCUMENT) as kept, TableFile(cache, DROPPED) as dropped:
        tally = _write(parsed, repeated, finish, kept, dropped)
        result = StageResult(
            kept=kept.table(),
            dropped=dropped.table(),
            rows_in=tally["rows"],
            figures={
                "files": float(len(files)),
                "characters": float(tally["characters"]),
                "boilerplate_lines": float(len(boilerplate)),
                **{name: float(n) for name, n in sorted(tally.items()) if "." in name},
            },
            artifacts={"boilerplate.json": json.dumps(boilerplate, indent=2, ensure_ascii=False)},
        )
    if not result.kept.num_rows:
        raise _nothing_kept(documents, len(files), result.dropped)
    return result


def _in_memory(parsed: Sequence[ParsedFile]) -> list[ParsedFile]:
    """Read files as long as there is room: all are gone through four times."""
    room, found = _MOST_IN_MEMORY, []
    for file in parsed:
        if room > 0:
            partition = file.read()
            room -= partition.kept.nbytes + partition.dropped.nbytes
            found.append(ParsedFile(None, partition))
        else:
            found.append(file)
    return found


@dataclass
class _Repeated:
    """Rows that are dropped because of an earlier one.

    Attributes:
        copies: Identifier of a document to that of the first one with the same bytes.
        same_name: Places, as (file, row), of documents whose path an earlier one has.
    """

    copies: dict[str, str] = field(default_factory=dict)
    same_name: set[tuple[int, int]] = field(default_factory=set)


def _repeated(parsed: Sequence[ParsedFile]) -> _Repeated:
    """Find copies; of equal ones the first in the order of the paths is kept."""
    found, names, hashes = _Repeated(), set[str](), dict[str, str]()
    for number, file in enumerate(parsed):
        kept = file.read().kept.select(["document_id", "sha256"])
        for place, row in enumerate(kept.to_pylist()):
            if row["document_id"] in names:
                found.same_name.add((number, place))
                continue
            names.add(row["document_id"])
            first = hashes.setdefault(row["sha256"], row["document_id"])
            if first != row["document_id"]:
                found.copies[row["document_id"]] = first
    return found


@dataclass(frozen=True)
class _Texts:
    """The texts of all documents that are no copies; may be gone through several times."""

    parsed: Sequence[ParsedFile]
    repeated: _Repeated

    def __iter__(self) -> Iterator[str]:
        for file in self.parsed:
            table = file.read().kept.select(["document_id", "text"])
            for row in table.to_pylist():
                if row["document_id"] not in self.repeated.copies:
                    yield row["text"]


def _write(
    parsed: Sequence[ParsedFile],
    repeated: _Repeated,
    finish: Callable[[Row], Row],
    kept: TableFile,
    dropped: TableFile,
) -> Counter[str]:
    """Write every row to one of the tables; return the stage's figures.

    These are how many rows and characters there are, how many changes of each kind cleaning
    made (`changes.encoding`), and how many documents are in each language (`language.en`).
    """
    tally = Counter[str]()
    for number, file in enumerate(parsed):
        partition = file.read()
        tally["rows"] += partition.kept.num_rows + partition.dropped.num_rows
        dropped.append(partition.dropped.to_pylist())
        for place, row in enumerate(partition.kept.to_pylist()):
            final = _drop_repeated(row, (number, place), repeated) or finish(row)
            if final.get("reason"):
                dropped.append([final])
            else:
                kept.append([final])
                tally["characters"] += len(final["text"])
                tally[f"language.{final['language'] or 'unknown'}"] += 1
                for change in final["changes"]:
                    tally[f"changes.{change['kind']}"] += change["count"]
    return tally


def _drop_repeated(row: Row, place: tuple[int, int], repeated: _Repeated) -> Row | None:
    """Return the dropped form of a row if an earlier one has its bytes or its path."""
    if place in repeated.same_name:
        detail = "Another document has the same path."
        return row | {"reason": "duplicate_name", "detail": detail}
    first = repeated.copies.get(row["document_id"])
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
