"""Anybody's corpus without its duplicates: reading, searching on disk, writing what is kept."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data_contracts.base import Result, digest
from data_contracts.errors import DatasetError, StorageError
from tasks.curation.config import CurationConfig
from tasks.curation.documents import BYTES_FOR_TEXT, find_repeats, with_repeats
from tasks.interchange.columnar import write_columns
from tasks.near_duplicates.config import NearDuplicatesConfig
from tasks.near_duplicates.find import find_near_duplicates, in_order
from tasks.near_duplicates.kept import check_form, read_kept, write_kept
from tasks.near_duplicates.reading import DocumentFile, document_files

_COLUMNAR = (b"PAR1", b"ARROW1")


class Deduplicated(Result):
    """What was dropped and where the rest lies.

    Attributes:
        documents: How many were read.
        kept: How many were written.
        exact: Dropped, with a kept document's very text (normalised).
        near: Dropped, similar to the kept document or linked to it through others.
        substring: Dropped, since most of it stands in the kept document.
        semantic: Dropped, since it says the same as the kept document in other words.
        clusters: How many kept documents had a duplicate.
        unreadable: Records that could not be read; they are not written.
        out: The kept rows.
        dropped: Table of the dropped: id, duplicate_of, reason, similarity.
    """

    documents: int
    kept: int
    exact: int
    near: int
    substring: int
    semantic: int
    clusters: int
    unreadable: int
    out: str
    dropped: str


def deduplicate(
    paths: Sequence[Path],
    out: Path,
    dropped: Path,
    work: Path,
    config: NearDuplicatesConfig,
    curation: CurationConfig,
) -> Deduplicated:
    """Write the rows of files that repeat no other, and a table of those that do.

    Exact and near-duplicates are searched on disk. Substring and semantic ones, where a
    threshold is set, are looked for in memory among what is left.

    Args:
        paths: Parquet, Arrow, JSON lines, JSON, CSV or TSV.
        out: Where the kept rows go; its suffix is their form.
        dropped: Where the table of dropped documents goes, as Parquet.
        work: Folder for intermediate results; a run that finds them goes on from there.
        config: Columns, threshold, memory, processes.
        curation: Thresholds of substring and semantic duplicates.

    Raises:
        DatasetError: A file cannot be read, a column is missing, or a name comes twice.
        ConfigError: `out` has another suffix than rows can be written to, or the memory is
            too small.
        StorageError: Writing failed.
    """
    check_form(out)
    read = [_columnar(file, work) for file in document_files(paths)]
    files = in_order([file for file, _ in read])
    found = find_near_duplicates(files, work, config)
    rows, table = np.load(found.rows), pq.read_table(found.path)
    if curation.substring_threshold or curation.semantic_threshold:
        documents = read_kept(files, rows, config, config.memory_bytes // BYTES_FOR_TEXT)
        repeats = find_repeats(documents, curation)
        table = with_repeats(table, documents, repeats)
        rows = np.sort(np.append(rows, documents.column("row").to_numpy()[list(repeats)]))
    kept = write_kept(files, rows, out)
    _write(table, dropped)
    reasons = Counter(table.column("reason").to_pylist())
    return Deduplicated(
        documents=found.documents,
        kept=kept,
        exact=reasons["exact_duplicate"],
        near=reasons["near_duplicate"],
        substring=reasons["substring_duplicate"],
        semantic=reasons["semantic_duplicate"],
        clusters=pc.count_distinct(table.column("duplicate_of")).as_py(),
        unreadable=sum(unreadable for _, unreadable in read),
        out=str(out),
        dropped=str(dropped),
    )


def _columnar(file: DocumentFile, work: Path) -> tuple[DocumentFile, int]:
    """Return a file that can be searched, and how many records it lacks."""
    try:
        with file.path.open("rb") as stream:
            start = stream.read(6)
        if start.startswith(_COLUMNAR):
            return file, 0
        stat = file.path.stat()
    except OSError as error:
        raise DatasetError(f"Cannot read documents: {error}. Check the path.") from error
    key = digest([str(file.path), stat.st_size, stat.st_mtime_ns], length=16)
    target = work / "columns" / f"{key}.arrow"
    count = target.with_suffix(".unreadable")
    if not count.is_file():
        count.write_text(str(write_columns(file.path, target)))
    return DocumentFile(target, file.name), int(count.read_text())


def _write(table: pa.Table, dropped: Path) -> None:
    try:
        dropped.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, dropped)
    except OSError as error:
        raise StorageError(f"Cannot write {dropped}: {error}.") from error
