"""Finds the near-duplicates of a corpus on disk, in bounded memory, resumably.

1. Chunk by chunk: shingles, signatures, bands, written to disk (`parts`, `sketch`).
2. Range by range of the bands' hashes: buckets, candidates, true Jaccard, links (`link`).
3. Clusters of linked documents; one of each is kept (`clusters`).

The first two can be shared by many processes, here or on other machines (`crew`). All of
it lies in a folder named after the files and the configuration. What is finished there is
not done again. Neither the order of the documents, nor their distribution over files, nor
memory, nor the number of processes changes the result.
"""

import shutil
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data_contracts.base import Result, canonical_json, digest
from data_contracts.errors import ConfigError, DatasetError, StorageError
from tasks.crew import Crew, dask_crew, local_crew
from tasks.near_duplicates.clusters import check_names, find_dropped
from tasks.near_duplicates.config import NearDuplicatesConfig
from tasks.near_duplicates.disjoint import DisjointSets
from tasks.near_duplicates.link import (
    Texts,
    link_partition,
    link_partitions,
    partitions_for,
    read_texts,
    store_texts,
)
from tasks.near_duplicates.parts import list_parts, sketch_part, sketched_chunks
from tasks.near_duplicates.reading import DocumentFile
from tasks.near_duplicates.sketches import Sketches

# Raise when the code gives other sketches, links or clusters for the same documents.
VERSION = 2

MANIFEST, SKETCHED = "manifest.json", "sketched"
DROPPED, ROWS = "duplicates.parquet", "rows.npy"

# A chunk of text grows to some thirty times its size while it is sketched: words, hashes,
# windows, bands. Larger chunks than 16 MB are no faster.
CHUNK_GROWTH = 40
LARGEST_CHUNK = 2**24

# Bytes a document needs in the second and third pass: hashes of text and name, equal texts,
# sets, sizes, quality, clusters, and the orders in which they are sorted.
DOCUMENT_BYTES = 128

# Bytes a document needs in each other process that links: its set. A process of a cluster has
# memory of its own; the one that starts the search is not held to what they are given.
SET_BYTES = 8

# Ranges of bands for each process: those that take longer do not hold up the others.
RANGES = 4


class NearDuplicates(Result):
    """What was found.

    Attributes:
        documents: How many there are.
        exact: Dropped, with the kept document's very text (normalised).
        near: Dropped, similar to the kept document or linked to it through others.
        clusters: How many documents are kept that have a duplicate.
        path: Parquet file of the dropped: id, duplicate_of, reason, similarity.
        rows: NumPy file of the dropped documents' rows, counted through all files in the
            order of their names.
    """

    documents: int
    exact: int
    near: int
    clusters: int
    path: str
    rows: str


def find_near_duplicates(
    files: Sequence[DocumentFile], folder: Path, config: NearDuplicatesConfig
) -> NearDuplicates:
    """Find the documents to drop, and write them to a Parquet file.

    Args:
        files: Where the documents lie.
        folder: Where everything is stored: some 8 bytes for each distinct shingle and 300
            for the bands of each document. No other run may work in it at the same time.
        config: Columns, threshold, keep rule, memory, processes.

    Raises:
        DatasetError: A file cannot be read, a column is missing, or two documents have one
            name.
        ConfigError: The memory is too small for so many documents, or the Dask cluster
            cannot be reached.
        EngineError: The Dask cluster was lost.
        StorageError: Writing failed.
    """
    files = in_order(files)
    manifest = _manifest(files, config)
    place = folder / digest(manifest, length=16)
    try:
        place.mkdir(parents=True, exist_ok=True)
        (place / MANIFEST).write_text(canonical_json(manifest))
        with _crew(config) as crew:
            return _find(files, place, config, crew)
    except OSError as error:
        raise StorageError(
            f"Cannot write or read in {place}: {error}. Free disk space or choose another "
            "folder, and run again: what is finished is kept."
        ) from error


def in_order(files: Sequence[DocumentFile]) -> list[DocumentFile]:
    """Return files in the order in which rows are counted through them."""
    return sorted(files, key=lambda file: (file.name, str(file.path)))


def _crew(config: NearDuplicatesConfig) -> AbstractContextManager[Crew | None]:
    if config.dask is not None:
        return dask_crew(config.dask)
    return local_crew(config.workers) if config.workers > 1 else nullcontext()


def _find(
    files: Sequence[DocumentFile], place: Path, config: NearDuplicatesConfig, crew: Crew | None
) -> NearDuplicates:
    sketches = Sketches(_sketch(files, place, config, crew))
    _check_memory(sketches.rows, config)
    result = place / DROPPED
    if not result.is_file():
        check_names(sketches)
        texts = read_texts(sketches)
        dropped = find_dropped(texts, _link(place, texts, config, crew))
        np.save(place / ROWS, np.sort(dropped.column("row").to_numpy()))
        partial = result.with_suffix(".partial")
        pq.write_table(dropped.drop_columns("row"), partial)
        partial.rename(result)
    return _summary(sketches.rows, place)


def _link(
    place: Path, texts: Texts, config: NearDuplicatesConfig, crew: Crew | None
) -> DisjointSets:
    memory = _process_bytes(config) // 2
    partitions = partitions_for(texts.sketches.band_count(), memory)
    if crew is not None:
        partitions = max(partitions, RANGES * crew.size)
        store_texts(place, texts)
        calls = [(place, number, partitions, config) for number in range(partitions)]
        crew.run(link_partition, calls)
    return link_partitions(place, texts, partitions, config)


def _manifest(files: Sequence[DocumentFile], config: NearDuplicatesConfig) -> dict[str, Any]:
    """Return all that the stored results depend on: the folder is named after it."""
    try:
        stats = [(file, file.path.stat()) for file in files]
    except OSError as error:
        raise DatasetError(f"Cannot read documents: {error}. Check the path.") from error
    return {
        "version": VERSION,
        "config": config.model_dump(mode="json", exclude={"workers", "dask"}),
        "chunk_bytes": _chunk_bytes(config),
        "files": [
            [file.name, str(file.path), stat.st_size, stat.st_mtime_ns] for file, stat in stats
        ],
    }


def _process_bytes(config: NearDuplicatesConfig) -> int:
    """Return what a process may use: those of one machine share, those of a cluster do not."""
    return config.memory_bytes if config.dask else config.memory_bytes // config.workers


def _chunk_bytes(config: NearDuplicatesConfig) -> int:
    return min(LARGEST_CHUNK, _process_bytes(config) // CHUNK_GROWTH)


def _sketch(
    files: Sequence[DocumentFile], place: Path, config: NearDuplicatesConfig, crew: Crew | None
) -> list[Path]:
    """Sketch all parts that are not there; return the folders of their chunks in order."""
    done = place / SKETCHED
    if not done.is_file():
        for left in place.glob("chunk-*.partial"):
            shutil.rmtree(left)
        calls = [(place, part, config, _chunk_bytes(config)) for part in list_parts(files)]
        if crew is not None:
            crew.run(sketch_part, calls)
        else:
            for call in calls:
                sketch_part(*call)
        done.touch()
    return sketched_chunks(place)


def _check_memory(documents: int, config: NearDuplicatesConfig) -> None:
    linking = config.workers if config.workers > 1 else 0
    bytes_each = SET_BYTES if config.dask else DOCUMENT_BYTES + SET_BYTES * linking
    needed = documents * bytes_each
    if needed > config.memory_bytes // 2:
        raise ConfigError(
            f"{documents:,} documents need memory_bytes of {2 * needed:,} at least (half for "
            f"what is known of each, half for the bands); it is {config.memory_bytes:,}. Set "
            "it higher, or search part by part."
        )


def _summary(documents: int, place: Path) -> NearDuplicates:
    path = place / DROPPED
    found = pq.read_table(path, columns=["duplicate_of", "reason"])
    exact = found.filter(pc.field("reason") == "exact_duplicate").num_rows
    return NearDuplicates(
        documents=documents,
        exact=exact,
        near=found.num_rows - exact,
        clusters=pc.count_distinct(found.column("duplicate_of")).as_py(),
        path=str(path),
        rows=str(place / ROWS),
    )
