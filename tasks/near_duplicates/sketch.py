"""First pass: what later passes need to know of a chunk of documents, on disk.

A chunk is a folder: `documents.arrow` (name, quality, hashes of name and text),
`shingles.arrow` (each document's distinct shingles in rising order; mapped, not read) and
`bands.npy` (hash of each band with its row in the chunk, in the order of the hashes, so
that any range of hashes is one slice). It is moved into place when it is whole.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast
from uuid import uuid4

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from xxhash import xxh3_128_intdigest

from data_contracts.errors import StorageError
from tasks.near_duplicates.config import NearDuplicatesConfig
from tasks.text.hash_rows import HashRows, joined
from tasks.text.shingle_batch import (
    character_shingles,
    distinct_shingles,
    normal_words,
    word_shingles,
)
from tasks.text.shingles import Hashes, text_hash
from tasks.text.signatures import band_hashes, bands, signatures

BAND = np.dtype([("key", "<u8"), ("row", "<i4")])

DOCUMENTS, SHINGLES, BANDS = "documents.arrow", "shingles.arrow", "bands.npy"

_LOW = 2**64 - 1

# Documents computed at once: their words and hashes lie in the processor's cache.
BATCH = 512


def sketch_chunk(folder: Path, documents: pa.Table, config: NearDuplicatesConfig) -> None:
    """Write the sketch of a chunk, unless it is there.

    Args:
        folder: Where it is to lie.
        documents: Columns id, text, quality.
        config: Shingles and bands.

    Raises:
        StorageError: It cannot be written.
    """
    if folder.is_dir():
        return
    texts = documents.column("text").to_pylist()
    batches = [_batch(texts[i : i + BATCH], config) for i in range(0, len(texts), BATCH)]
    shingles = joined([batch.shingles for batch in batches])
    keys = np.concatenate([batch.keys for batch in batches])
    partial = partial_path(folder)
    try:
        partial.mkdir(parents=True)
        _write(
            partial / DOCUMENTS,
            _documents(documents, [d for batch in batches for d in batch.digests]),
        )
        _write(partial / SHINGLES, _lists(shingles))
        np.save(partial / BANDS, _bands(shingles, keys))
        _move(partial, folder)
    except OSError as error:
        raise StorageError(
            f"Cannot write {folder}: {error}. Free disk space and run again: finished chunks "
            "are kept."
        ) from error


class _Batch(NamedTuple):
    """What is computed of some documents: shingles, hashes of bands and of the normal text."""

    shingles: HashRows
    keys: Hashes
    digests: list[int]


def _batch(texts: Sequence[str | None], config: NearDuplicatesConfig) -> _Batch:
    words = [normal_words(text or "") for text in texts]
    shingle = word_shingles if config.unit == "words" else character_shingles
    shingles = distinct_shingles(shingle(words, config.shingle_length))
    found = signatures(shingles, config.num_perm, config.seed)
    keys = band_hashes(found, *bands(config.threshold, config.num_perm))
    return _Batch(shingles, keys, [xxh3_128_intdigest(b" ".join(row)) for row in words])


def partial_path(path: Path) -> Path:
    """Return where to write what will be moved to `path`; no other process writes there."""
    return path.with_name(f"{path.stem}-{uuid4().hex}.partial")


def _move(partial: Path, folder: Path) -> None:
    """Move a chunk into place; an engine may have had it made twice, and both are alike."""
    try:
        partial.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise
        shutil.rmtree(partial)


def _documents(documents: pa.Table, digests: list[int]) -> pa.Table:
    names = cast("list[str]", documents.column("id").to_pylist())
    quality = documents.column("quality").to_numpy()
    return pa.table(
        {
            "id": pa.array(names, pa.string()),
            "quality": pa.array(np.where(np.isnan(quality), -np.inf, quality)),
            "id_hash": pa.array([text_hash(name) for name in names], pa.uint64()),
            "high": pa.array([digest >> 64 for digest in digests], pa.uint64()),
            "low": pa.array([digest & _LOW for digest in digests], pa.uint64()),
        }
    )


def _lists(shingles: HashRows) -> pa.Table:
    offsets: Any = pa.array(shingles.offsets)  # the stubs mistake it for booleans
    lists = pa.LargeListArray.from_arrays(offsets, pa.array(shingles.hashes))
    return pa.table({"shingles": lists})


def _bands(shingles: HashRows, keys: Hashes) -> NDArray[np.void]:
    """Return the bands of all documents that have a shingle, in the order of their hashes."""
    rows = np.flatnonzero(np.diff(shingles.offsets))
    result = np.empty(rows.size * keys.shape[1], BAND)
    flat = keys[rows].ravel()
    order = np.argsort(flat)
    result["key"] = flat[order]
    result["row"] = rows[order // keys.shape[1]]
    return result


def _write(path: Path, table: pa.Table) -> None:
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())
