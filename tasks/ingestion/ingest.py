"""Ingestion: a folder of files becomes a table of cleaned documents."""

import hashlib
import json
import logging
import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa

from data_contracts.base import digest
from data_contracts.dataset import StageResult, count_reasons
from data_contracts.errors import DocumentsError
from data_contracts.schemas import DOCUMENT, dropped_schema
from tasks.ingestion.clean import CleanText, clean_document, find_boilerplate, remove_boilerplate
from tasks.ingestion.config import IngestionConfig
from tasks.ingestion.discover import DocumentFile, find_files
from tasks.ingestion.media_type import detect_media_type
from tasks.ingestion.parser import PageSpan, UnreadableFile, parser_for, parser_name
from tasks.partitions import Partition, cached_partition
from tasks.progress import track

logger = logging.getLogger(__name__)

# Raise when parsing or cleaning gives other texts for the same bytes: cached ones are
# then not reused.
PARSING_VERSION = 1

DROPPED = dropped_schema(DOCUMENT)
Row = dict[str, Any]

_FIRST_HEADING = re.compile(r"^# (.+)$", re.MULTILINE)
_ANY_LETTER = re.compile(r"[^\W\d_]")


def ingest_documents(folder: Path, config: IngestionConfig, cache: Path) -> StageResult:
    """Read, parse and clean every file of a folder.

    Files that yield no document are dropped rows with their reason. Parsing is cached
    file by file; the lines that documents share are found anew each time.

    Args:
        folder: The documents folder.
        config: Options.
        cache: Folder of the parsed documents.

    Raises:
        DocumentsError: The folder is missing or empty, or none of its files yields a document.
    """
    files = find_files(folder, config)
    kept: list[Row] = []
    dropped: list[Row] = []
    seen: dict[str, str] = {}
    for file in track(files, "Reading documents", len(files)):
        partition = _read_file(file, config, cache)
        dropped += partition.dropped.to_pylist()
        for row in partition.kept.to_pylist():
            first = seen.setdefault(row["sha256"], file.document_id)
            (kept if first == file.document_id else dropped).append(_or_duplicate(row, first))
    return _result(folder, *_without_boilerplate(kept, config), dropped, len(files))


def _or_duplicate(row: Row, first: str) -> Row:
    """Return the row, or its dropped form if another file has the same bytes."""
    if first == row["document_id"]:
        return row
    detail = "Another file has the same bytes."
    return row | {"reason": "duplicate_file", "detail": detail, "duplicate_of": first}


def _read_file(file: DocumentFile, config: IngestionConfig, cache: Path) -> Partition:
    """Return the kept or dropped row of one file, from the cache if its bytes are known."""
    row: Row = {"document_id": file.document_id, "path": file.relative}
    try:
        content = _content(file, config)
    except UnreadableFile as error:
        return _dropped(row, error)
    row["sha256"] = hashlib.sha256(content).hexdigest()
    try:
        row["media_type"] = detect_media_type(PurePosixPath(file.relative), content)
        parser = parser_for(row["media_type"])
    except UnreadableFile as error:
        return _dropped(row, error)
    row["parser"] = parser_name(parser)
    name = [PARSING_VERSION, row, parser.model_dump(mode="json")]
    return cached_partition(cache, digest(name), lambda: _parse(row, file, content))


def _content(file: DocumentFile, config: IngestionConfig) -> bytes:
    try:
        size = file.path.stat().st_size
        if size > config.max_file_bytes:
            limit = f"{size:,} bytes; the limit is {config.max_file_bytes:,} (max_file_bytes)."
            raise UnreadableFile("too_large", limit)
        content = file.path.read_bytes()
    except OSError as error:
        raise UnreadableFile("unreadable", f"It cannot be read: {error.strerror}.") from error
    if not content.strip():
        raise UnreadableFile("empty", "The file holds nothing, or only white space.")
    return content


def _parse(row: Row, file: DocumentFile, content: bytes) -> Partition:
    parser = parser_for(row["media_type"])
    try:
        parsed = parser.parse(file.path, content)
        clean = clean_document(parsed, parser.inline_markup)
        if not _ANY_LETTER.search(clean.text):
            raise UnreadableFile("no_text", "Nothing is left after cleaning.")
    except UnreadableFile as error:
        return _dropped(row, error)
    title = parsed.title or _first_heading(clean.text) or _name_as_title(file.relative)
    document = row | {"title": " ".join(title.split()), "raw_text": parsed.text}
    return Partition(_table([document | _columns(clean)], DOCUMENT), _table([], DROPPED))


def _columns(clean: CleanText) -> Row:
    pages = [{"page": p.page, "start": p.start, "end": p.end} for p in clean.pages]
    return {"text": clean.text, "pages": pages}


def _first_heading(text: str) -> str:
    found = _FIRST_HEADING.search(text)
    return found.group(1) if found else ""


def _name_as_title(relative: str) -> str:
    return re.sub(r"[-_]+", " ", PurePosixPath(relative).stem).strip().capitalize()


def _dropped(row: Row, error: UnreadableFile) -> Partition:
    gone = row | {"reason": error.reason, "detail": error.detail}
    return Partition(_table([], DOCUMENT), _table([gone], DROPPED))


def _table(rows: Sequence[Row], schema: pa.Schema) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=schema)


def _without_boilerplate(
    rows: Sequence[Row], config: IngestionConfig
) -> tuple[list[Row], list[Row], dict[str, int]]:
    """Return rows kept, rows in which nothing is left, and the lines that were removed."""
    boilerplate = find_boilerplate([row["text"] for row in rows], config)
    lines = frozenset(boilerplate)
    kept: list[Row] = []
    emptied: list[Row] = []
    for row in rows:
        pages = tuple(PageSpan(**page) for page in row["pages"])
        changed = row | _columns(remove_boilerplate(CleanText(row["text"], pages), lines))
        if _ANY_LETTER.search(changed["text"]):
            kept.append(changed)
        else:
            detail = "It holds only lines that many documents share."
            emptied.append(changed | {"reason": "no_text", "detail": detail})
    return kept, emptied, boilerplate


def _result(
    folder: Path,
    kept: Sequence[Row],
    emptied: Sequence[Row],
    boilerplate: dict[str, int],
    dropped: Sequence[Row],
    files: int,
) -> StageResult:
    gone = _table(sorted([*dropped, *emptied], key=lambda row: row["path"]), DROPPED)
    if not kept:
        reasons = ", ".join(f"{n} {reason}" for reason, n in count_reasons(gone).items())
        raise DocumentsError(
            f"None of the {files} files in {folder} yields a document: {reasons}. Expected text "
            "in Markdown, HTML, plain text, DOCX, XLSX, PDF or CSV."
        )
    return StageResult(
        kept=_table(kept, DOCUMENT),
        dropped=gone,
        rows_in=files,
        figures={
            "characters": float(sum(len(row["text"]) for row in kept)),
            "boilerplate_lines": float(len(boilerplate)),
        },
        artifacts={"boilerplate.json": json.dumps(boilerplate, indent=2, ensure_ascii=False)},
    )
