"""Second pass: pairs of similar documents, one range of band hashes after the other."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tasks.near_duplicates.candidates import candidate_pairs, repeated
from tasks.near_duplicates.config import NearDuplicatesConfig
from tasks.near_duplicates.disjoint import DisjointSets
from tasks.near_duplicates.parts import sketched_chunks
from tasks.near_duplicates.sketch import partial_path
from tasks.near_duplicates.sketches import Rows, Sketches
from tasks.text.shingles import Hashes, jaccard

# Bytes a band needs while its partition is sorted and paired: key, row and order as read and
# as sorted (48), places and pairs (32), filters and Python's own integers (80).
BAND_BYTES = 160


@dataclass(frozen=True)
class Texts:
    """What the second pass knows of every document.

    Attributes:
        sketches: The shingles.
        same: For each row the first row of the same text.
        order: Hash of each text.
        sizes: How many shingles each has.
    """

    sketches: Sketches
    same: Rows
    order: Hashes
    sizes: NDArray[np.int32]


def read_texts(sketches: Sketches) -> Texts:
    """Find equal texts. A document without a word is like no other."""
    high, low = (sketches.column(name).astype(np.uint64) for name in ("high", "low"))
    sizes = sketches.sizes()
    sequence = np.lexsort((low, high))  # stable: the first of equals is the first row
    new = np.ones(high.size, bool)
    new[1:] = (np.diff(high[sequence]) != 0) | (np.diff(low[sequence]) != 0)
    same = np.empty(high.size, np.int64)
    same[sequence] = sequence[new][np.cumsum(new) - 1]
    return Texts(sketches, np.where(sizes > 0, same, np.arange(high.size)), high, sizes)


def link_partitions(
    place: Path, texts: Texts, partitions: int, config: NearDuplicatesConfig
) -> DisjointSets:
    """Join all similar documents; each partition's links are stored and not sought again."""
    sets = DisjointSets(texts.sketches.rows)
    for number in range(partitions):
        path = _links(place, number, partitions)
        if path.is_file():
            _join(sets, path)
        else:
            _store(path, list(_link(texts, *_range(number, partitions), sets, config)))
    return sets


def partitions_for(bands: int, memory: int) -> int:
    """Return in how many partitions so many bands need no more than so many bytes each."""
    return max(1, -(-bands * BAND_BYTES // memory))


def store_texts(place: Path, texts: Texts) -> None:
    """Write what is known of the documents where other processes map it, not copy it."""
    for name in _ARRAYS:
        partial = place / f"{name}.partial.npy"
        np.save(partial, getattr(texts, name))
        partial.rename(place / f"{name}.npy")


def link_partition(place: Path, number: int, partitions: int, config: NearDuplicatesConfig) -> None:
    """Find the links of one partition, in any process; unless they are there.

    What is already linked in partitions that others have finished is not compared again.
    """
    path = _links(place, number, partitions)
    if path.is_file():
        return
    arrays = {name: np.load(place / f"{name}.npy", mmap_mode="r") for name in _ARRAYS}
    texts = Texts(Sketches(sketched_chunks(place)), **arrays)
    sets = DisjointSets(texts.sketches.rows)
    for finished in range(partitions):
        if (known := _links(place, finished, partitions)).is_file():
            _join(sets, known)
    _store(path, list(_link(texts, *_range(number, partitions), sets, config)))


_ARRAYS = ("same", "order", "sizes")


def _links(place: Path, number: int, partitions: int) -> Path:
    return place / f"links-{number:05}-of-{partitions:05}.npy"


def _range(number: int, partitions: int) -> tuple[int, int]:
    return number * 2**64 // partitions, (number + 1) * 2**64 // partitions - 1


def _join(sets: DisjointSets, path: Path) -> None:
    for left, right in np.load(path).tolist():
        sets.join(left, right)


def _link(
    texts: Texts, first: int, last: int, sets: DisjointSets, config: NearDuplicatesConfig
) -> Iterator[tuple[int, int]]:
    """Yield and join similar pairs that were not joined: who is joined at last is the same."""
    keys, rows = repeated(*texts.sketches.bands(first, last))
    distinct = texts.same[rows] == rows
    keys, rows = keys[distinct], rows[distinct]
    for block in candidate_pairs(keys, rows, texts.order[rows], config.neighbours):
        for left, right in _possible(*block, texts, sets, config.threshold):
            if sets.root(left) != sets.root(right) and _similar(texts, left, right, config):
                sets.join(left, right)
                yield left, right


def _possible(
    left: Rows, right: Rows, texts: Texts, sets: DisjointSets, threshold: float
) -> Iterator[tuple[int, int]]:
    """Yield pairs whose sizes allow the similarity, without those known to be joined."""
    sizes = np.sort(np.stack([texts.sizes[left], texts.sizes[right]]), axis=0)
    keep = (sizes[0] / sizes[1] >= threshold) & ~sets.surely_joined(left, right)
    return zip(left[keep].tolist(), right[keep].tolist(), strict=True)


def _similar(texts: Texts, left: int, right: int, config: NearDuplicatesConfig) -> bool:
    ours, theirs = texts.sketches.shingles(left), texts.sketches.shingles(right)
    return jaccard(ours, theirs) >= config.threshold


def _store(path: Path, links: list[tuple[int, int]]) -> None:
    partial = partial_path(path)
    with partial.open("wb") as stream:
        np.save(stream, np.array(links, np.int64).reshape(-1, 2))
    partial.rename(path)
