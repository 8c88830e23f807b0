"""Parsing many files: from the cache where their content is known, else side by side."""

import hashlib
from collections import deque
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from data_contracts.base import digest
from data_contracts.errors import DocumentsError
from data_contracts.schemas import DOCUMENT, dropped_schema
from tasks.crew import OpenCrew
from tasks.forgotten import DETAIL, NOTHING_FORGOTTEN, REASON, Forgotten
from tasks.ingestion.basis import parsing_basis
from tasks.ingestion.cluster import parse_on_cluster
from tasks.ingestion.config import IngestionConfig
from tasks.ingestion.document import Row, dropped_row
from tasks.ingestion.isolation import ParserPool
from tasks.ingestion.parser import UnreadableFile
from tasks.ingestion.sources import DocumentFile
from tasks.ingestion.worker import Job
from tasks.partitions import Partition, find_partition, read_partition, store_partition
from tasks.progress import track
from tasks.text.language import detect_language

T = TypeVar("T")
R = TypeVar("R")

DROPPED = dropped_schema(DOCUMENT)

# These may be the machine's fault as well, so the next run tries again.
_NOT_CACHED = {"timeout", "out_of_memory", "crashed", "unreadable"}

# What is still said of a document that is forgotten.
_NAMES = ["document_id", "path"]
_FORGOTTEN = UnreadableFile(REASON, DETAIL)

# Files that are read before they are parsed: enough that no process waits for the disk or
# the network, few enough that their bytes fit into memory.
_READ_AHEAD = 8
_ATTEMPTS = 3


@dataclass(frozen=True)
class ParsedFile:
    """The rows of a file: where they lie in the cache, or themselves if they are not there.

    Attributes:
        stored: Where they lie.
        partition: The rows themselves.
        forgotten: What is to be left out of them.
        name: Names all that they depend on; empty if a later run is not to have them again.
    """

    stored: Path | None
    partition: Partition | None = None
    forgotten: Forgotten = NOTHING_FORGOTTEN
    name: bytes = b""

    def read(self) -> Partition:
        """Return the rows."""
        if self.partition is not None:
            return self.partition
        if self.stored is None:
            raise ValueError("A parsed file has neither rows nor a place where they are stored.")
        return _without(read_partition(self.stored), self.forgotten)


def parse_files(
    files: Sequence[DocumentFile],
    config: IngestionConfig,
    folder: Path,
    forgotten: Forgotten = NOTHING_FORGOTTEN,
    remembered: Container[bytes] = frozenset(),
    cluster: OpenCrew | None = None,
) -> list[ParsedFile]:
    """Parse files and return their rows in the order of the files.

    Args:
        files: What to parse.
        config: Options.
        folder: Cache of the parsed files.
        forgotten: What is not to be read.
        remembered: Names of rows that need not be looked for: they are not read from the cache.
        cluster: Opens processes of other machines that parse instead of those of this one.

    Raises:
        ConfigError: The cluster cannot be had, or would make other rows.
        DocumentsError: A remote file cannot be read although it exists.
        EngineError: The cluster was lost.
        StorageError: The cache cannot be written.
    """
    basis = parsing_basis(config)
    parsed: dict[int, ParsedFile] = {}
    for number, file in enumerate(files):
        name = _key(file, file.checksum, basis).encode() if file.checksum else b""
        if name in remembered and file.document_id not in forgotten.ids:
            parsed[number] = ParsedFile(None, name=name)
    others = [number for number in range(len(files)) if number not in parsed]

    def jobs() -> Iterator[Job]:
        prepare = partial(_prepare, config=config, basis=basis, folder=folder, out=forgotten)
        prepared = _ahead(prepare, [files[number] for number in others])
        for number, ready in zip(others, prepared, strict=True):
            if isinstance(ready, ParsedFile):
                parsed[number] = ready
            else:
                key, content = ready
                yield Job(number, key, files[number].relative, content)

    waiting = _tracked(jobs(), len(others))
    # values that can be restored are kept in a vault of this machine
    if cluster is None or config.scrubbing.reversible:
        finished = ParserPool(config).run(waiting)
    else:
        finished = parse_on_cluster(waiting, config, basis, cluster)
    for job, rows in finished:
        parsed[job.number] = _store(folder, job.key, rows, forgotten)
    return [parsed[number] for number in range(len(files))]


def _tracked(jobs: Iterator[Job], total: int) -> Iterator[Job]:
    return track(jobs, "Reading documents", total)


def _ahead(work: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """Yield the results of work in order, a few items ahead of who asks for them."""
    with ThreadPoolExecutor(_READ_AHEAD) as threads:
        running: deque[Future[R]] = deque()
        for item in items:
            running.append(threads.submit(work, item))
            if len(running) >= _READ_AHEAD:
                yield running.popleft().result()
        while running:
            yield running.popleft().result()


def _prepare(
    file: DocumentFile, config: IngestionConfig, basis: str, folder: Path, out: Forgotten
) -> ParsedFile | tuple[str, bytes]:
    """Return a file's rows if they are known, else the key for them and the file's bytes."""
    row = {"document_id": file.document_id, "path": file.relative}
    if file.document_id in out.ids:
        return ParsedFile(None, _partition([dropped_row(row, _FORGOTTEN)]))
    name = _key(file, file.checksum, basis) if file.checksum else ""
    known = find_partition(folder, name) if name else None
    if known:
        return ParsedFile(known, forgotten=out, name=name.encode())
    try:
        content = _content(file, config)
    except UnreadableFile as error:
        return ParsedFile(None, _partition([dropped_row(row, error)]))
    sha256 = hashlib.sha256(content).hexdigest()
    if sha256 in out.hashes:
        return ParsedFile(None, _partition([dropped_row(row, _FORGOTTEN)]))
    # of a local file the bytes that were read count: it may have changed since it was hashed
    key = _key(file, (file.checksum if file.is_remote else "") or sha256, basis)
    stored = find_partition(folder, key)
    found = ParsedFile(stored, forgotten=out, name=key.encode())
    return found if stored else (key, content)


def _key(file: DocumentFile, content: str, basis: str) -> str:
    """Return the name of a file's rows in the cache: all that they depend on."""
    return digest([file.relative, content, basis])


def _content(file: DocumentFile, config: IngestionConfig) -> bytes:
    """Read a file, but never more than is allowed."""
    most = config.max_file_bytes
    content = b"" if file.size is not None and file.size > most else _read(file, most + 1)
    size = max(file.size or 0, len(content))
    if size > most:
        limit = f"{size:,} bytes; the limit is {most:,} (max_file_bytes)."
        raise UnreadableFile("too_large", limit)
    if not content.strip():
        raise UnreadableFile("empty", "The file holds nothing, or only white space.")
    return content


def _read(file: DocumentFile, most: int, attempts: int = _ATTEMPTS) -> bytes:
    """Read up to so many bytes; a network is tried again.

    Raises:
        UnreadableFile: There is no such file any more, or no permission.
        DocumentsError: The network or the remote file system fails.
    """
    try:
        with file.open() as stream:
            return stream.read(most)
    except (FileNotFoundError, PermissionError) as error:
        cause = error.strerror or str(error)
        raise UnreadableFile("unreadable", f"It cannot be read: {cause}.") from error
    # packages of fsspec's protocols raise what they like, and the user chooses the package
    except Exception as error:
        if not file.is_remote:
            raise UnreadableFile("unreadable", f"It cannot be read: {error}.") from error
        if attempts == 1:
            raise _unreachable(file, error) from error
    return _read(file, most, attempts - 1)


def _unreachable(file: DocumentFile, error: Exception) -> DocumentsError:
    return DocumentsError(
        f"{file.relative} could be listed, but not read, {_ATTEMPTS} times "
        f"({type(error).__name__}: {error}). Check the network and run again: documents that "
        "are parsed already are kept."
    )


def _store(folder: Path, key: str, rows: Sequence[Row], out: Forgotten) -> ParsedFile:
    whole = _partition([_with_language(row) for row in rows])
    partition = _without(whole, out)
    # a file with a part that is forgotten is parsed each time: its cache would hold that part
    if partition is not whole or any(row.get("reason") in _NOT_CACHED for row in rows):
        return ParsedFile(None, partition)
    return ParsedFile(store_partition(folder, key, partition), name=key.encode())


def _without(partition: Partition, out: Forgotten) -> Partition:
    """Return a file's rows without what is forgotten; of that only the path is left."""
    if not out.documents:
        return partition
    kept, dropped = out.rows(partition.kept), out.rows(partition.dropped)
    gone = pa.concat_tables(
        [
            partition.kept.select(_NAMES).filter(kept),
            partition.dropped.select(_NAMES).filter(dropped),
        ],
        promote_options="permissive",
    )
    if not gone.num_rows:
        return partition
    left = partition.dropped.filter(pc.invert(dropped))
    return Partition(
        kept=partition.kept.filter(pc.invert(kept)),
        dropped=pa.concat_tables(
            [left, table_of([dropped_row(row, _FORGOTTEN) for row in gone.to_pylist()], DROPPED)]
        ),
    )


def _with_language(row: Row) -> Row:
    return row if row.get("reason") else row | {"language": detect_language(row["text"])}


def _partition(rows: Sequence[Row]) -> Partition:
    kept = [row for row in rows if not row.get("reason")]
    dropped = [row for row in rows if row.get("reason")]
    return Partition(table_of(kept, DOCUMENT), table_of(dropped, DROPPED))


def table_of(rows: Sequence[dict[str, Any]], schema: pa.Schema) -> pa.Table:
    """Return rows as a table."""
    return pa.Table.from_pylist(list(rows), schema=schema)
