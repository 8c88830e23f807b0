"""Shingles of many texts at once: the same hashes as `tasks.text.shingles`, several times faster.

The windows run over the whole batch; those that reach from one text into the next are
dropped. Words are hashed each time they come: a cache of them was no faster.
"""

from collections.abc import Sequence
from itertools import chain, pairwise

import numpy as np
from numpy.typing import NDArray
from xxhash import xxh64_digest

from tasks.text.hash_rows import HashRows, offsets
from tasks.text.normalise import normalise
from tasks.text.shingles import Hashes, window_hashes

# ASCII has no other normal form than lower case, and its word characters are known.
_ASCII = bytes(ord(c.lower()) if c.isalnum() else 32 for c in map(chr, range(128))) + bytes(128)


def normal_words(text: str) -> list[bytes]:
    """Return the words of the normalised text in UTF-8."""
    if text.isascii():
        return text.encode().translate(_ASCII).split()
    return normalise(text).encode().split()


def word_shingles(words: Sequence[Sequence[bytes]], length: int) -> HashRows:
    """Return the hashes of all runs of `length` words, repeats included.

    A text shorter than `length` is one shingle; an empty one has none.
    """
    digests = b"".join(map(xxh64_digest, chain.from_iterable(words)))
    sizes = np.fromiter(map(len, words), np.int64, len(words))
    return _windows(np.frombuffer(digests, ">u8").astype(np.uint64), sizes, length)


def character_shingles(words: Sequence[Sequence[bytes]], length: int) -> HashRows:
    """Return the hashes of all runs of `length` characters, repeats included.

    A space stands before, between and after the words. A text shorter than `length` is one
    shingle; an empty one has none.
    """
    texts = [f" {b' '.join(row).decode()} " if row else "" for row in words]
    points = np.frombuffer("".join(texts).encode("utf-32-le"), np.uint32).astype(np.uint64)
    sizes = np.fromiter(map(len, texts), np.int64, len(texts))
    return _windows(points, sizes, length)


def distinct_shingles(batch: HashRows) -> HashRows:
    """Return each text's distinct hashes in rising order."""
    hashes = batch.hashes.copy()
    bounds = batch.offsets.tolist()
    for start, end in pairwise(bounds):
        hashes[start:end].sort()
    new = np.ones(hashes.size, bool)
    new[1:] = hashes[1:] != hashes[:-1]
    starts = batch.offsets[:-1]
    new[starts[starts < hashes.size]] = True
    before = np.concatenate([[0], np.cumsum(new)])
    return HashRows(hashes[new], before[batch.offsets])


def _windows(codes: Hashes, sizes: NDArray[np.int64], length: int) -> HashRows:
    bounds = offsets(sizes)
    starts, ends = bounds[:-1], bounds[1:]
    hashes = np.empty(codes.size, np.uint64)
    whole = window_hashes(codes, length)
    hashes[: whole.size] = whole
    keep = np.ones(codes.size, bool)
    for left in range(1, length):  # a window that begins so near the end reaches too far
        keep[np.maximum(ends - left, starts)[sizes > 0]] = False
    short = (sizes > 0) & (sizes < length)
    for start, end in zip(starts[short].tolist(), ends[short].tolist(), strict=True):
        hashes[start], keep[start] = window_hashes(codes[start:end], end - start)[0], True
    return HashRows(hashes[keep], offsets(np.where(short, 1, np.maximum(sizes - length + 1, 0))))
