"""All chunks of a corpus as one: rows are numbered through them."""

from bisect import bisect_left, bisect_right
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tasks.near_duplicates.sketch import BAND, BANDS, DOCUMENTS, SHINGLES
from tasks.text.shingles import Hashes

Rows = NDArray[np.int64]

# Chunks whose shingles are mapped at once: of 16 MB of text each, 64 GB. Linux allows a process
# 65,530 maps.
MAPPED = 4096


class Sketches:
    """Reads what the first pass wrote.

    Args:
        folders: The chunks, in order.
    """

    def __init__(self, folders: list[Path]) -> None:
        self.folders = folders
        counts = [_table(folder / DOCUMENTS).num_rows for folder in folders]
        self.starts = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
        self.rows = int(self.starts[-1])
        self._mapped = lru_cache(MAPPED)(self._map)

    def column(self, name: str) -> NDArray[np.generic]:
        """Return a numeric column of the documents."""
        parts = [_table(folder / DOCUMENTS).column(name).to_numpy() for folder in self.folders]
        return np.concatenate(parts) if parts else np.empty(0)

    def names(self, rows: Rows) -> "pa.ChunkedArray[pa.StringScalar]":
        """Return the names of rows, which are in rising order."""
        bounds = np.searchsorted(rows, self.starts)
        found: list[Any] = []
        for chunk, folder in enumerate(self.folders):
            own = rows[bounds[chunk] : bounds[chunk + 1]] - self.starts[chunk]
            if own.size:
                ids = _table(folder / DOCUMENTS).column("id").combine_chunks()
                found.append(pc.take(ids, pa.array(own)))
        return pa.chunked_array(found, pa.string())

    def sizes(self) -> NDArray[np.int32]:
        """Return how many distinct shingles each document has."""
        chunks = range(len(self.folders))
        parts = [np.diff(self._map(chunk)[0]).astype(np.int32) for chunk in chunks]
        return np.concatenate([np.empty(0, np.int32), *parts])

    def shingles(self, row: int) -> Hashes:
        """Return the shingles of one document, from the mapped file."""
        chunk = int(np.searchsorted(self.starts, row, side="right")) - 1
        offsets, values = self._mapped(chunk)
        own = row - int(self.starts[chunk])
        return values[offsets[own] : offsets[own + 1]]

    def bands(self, first: int, last: int) -> tuple[Hashes, Rows]:
        """Return hashes of bands from `first` to `last` (inclusive), and whose they are."""
        keys: list[Hashes] = [np.empty(0, np.uint64)]
        rows: list[Rows] = [np.empty(0, np.int64)]
        for folder, start in zip(self.folders, self.starts[:-1].tolist(), strict=True):
            stored = np.load(folder / BANDS, mmap_mode="r")
            # `np.searchsorted` would copy all keys of the chunk, for each range again
            begin = bisect_left(stored["key"], np.uint64(first))
            end = bisect_right(stored["key"], np.uint64(last), begin)
            keys.append(np.array(stored["key"][begin:end]))
            rows.append(stored["row"][begin:end].astype(np.int64) + start)
        return np.concatenate(keys), np.concatenate(rows)

    def band_count(self) -> int:
        """Return how many bands all documents have together."""
        return sum((folder / BANDS).stat().st_size for folder in self.folders) // BAND.itemsize

    def _map(self, chunk: int) -> tuple[Rows, Hashes]:
        table = _table(self.folders[chunk] / SHINGLES)
        lists = cast("pa.LargeListArray[Any]", table.column("shingles").chunk(0))
        return lists.offsets.to_numpy(), lists.values.to_numpy()


def _table(path: Path) -> pa.Table:
    with pa.memory_map(str(path)) as source:
        return pa.ipc.open_file(source).read_all()
