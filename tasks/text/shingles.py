"""Texts as sorted arrays of distinct 64-bit hashes: shingles of characters, n-grams of words.

A set of n random 64-bit hashes holds a collision with probability n^2 / 2^65: for a million
distinct shingles 3e-8. Jaccard similarities computed from them are therefore called true.
"""

from collections.abc import Iterable
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from xxhash import xxh64_intdigest

from tasks.text.normalise import normalise

Hashes = NDArray[np.uint64]

EMPTY: Hashes = np.empty(0, np.uint64)

Integer = TypeVar("Integer", np.uint64, np.int64)

# Values that are searched as they come: more do not fit the processor's cache. Ten million hashes
# are looked for among as many in 16 s; in order, the ordering included, in 4.
_CACHED = 1 << 18

# Bits of a hash by which most of those that are not among a few values are told, and hashes
# looked at together: what is made of them stays in the processor's cache.
_FILTER_BITS, _FILTERED = 20, 1 << 15

# Multiplier and shifts of SplitMix64 (Steele, Lea, Flood 2014), a mixer without collisions.
_MULTIPLIER = 0x9E3779B97F4A7C15
_MIX = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB))


def text_hash(text: str) -> int:
    """Return the 64-bit hash of a text as it stands; the same on every machine."""
    return int(xxh64_intdigest(text.encode()))


def character_shingles(text: str, length: int) -> Hashes:
    """Return the distinct runs of `length` characters of the normalised text.

    A space at either end makes the first and last letters count as word borders. A text
    shorter than `length` is one shingle; an empty one has none.
    """
    normal = normalise(text)
    if not normal:
        return EMPTY
    points = np.frombuffer(f" {normal} ".encode("utf-32-le"), np.uint32).astype(np.uint64)
    return distinct(window_hashes(points, min(length, points.size)))


def word_ngrams(text: str, length: int) -> Hashes:
    """Return the distinct runs of `length` words of the normalised text; shorter has none."""
    words = normalise(text).split()
    if len(words) < length:
        return EMPTY
    codes = np.array([text_hash(word) for word in words], np.uint64)
    return distinct(window_hashes(codes, length))


def jaccard(left: Hashes, right: Hashes) -> float:
    """Return the Jaccard similarity of two sets; 0 when both are empty."""
    shared = np.intersect1d(left, right, assume_unique=True).size
    either = left.size + right.size - shared
    return float(shared / either) if either else 0.0


def window_hashes(codes: Hashes, length: int) -> Hashes:
    """Return the hash of every run of `length` codes, in order; none if there are fewer.

    A polynomial of the codes, then mixed: its low bits alone would be weak.
    """
    count = max(codes.size - length + 1, 0)
    mixed = np.zeros(count, np.uint64)
    for place in reversed(range(length)):  # Horner's scheme, in place
        mixed += codes[place : place + count]
        mixed *= np.uint64(_MULTIPLIER)
    for shift, multiplier in _MIX:
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(multiplier)
    return mixed ^ (mixed >> np.uint64(31))


def repeated(hashes: Hashes) -> Hashes:
    """Return the distinct values that occur more than once, sorted."""
    ordered = np.sort(hashes)
    again = ordered[1:][ordered[1:] == ordered[:-1]]
    return distinct(again)


def union(sets: Iterable[Hashes]) -> Hashes:
    """Return the distinct hashes of all sets, sorted."""
    return distinct(np.concatenate([EMPTY, *sets]))


def distinct(values: NDArray[Integer]) -> NDArray[Integer]:
    """Sort an array in place and return its distinct values.

    `numpy.unique` asks a hash table since numpy 2.3: 13 s for ten million hashes, this 0.4.
    """
    values.sort()
    first = np.ones(values.size, bool)
    first[1:] = values[1:] != values[:-1]
    return values[first]


def among(hashes: Hashes, values: Hashes) -> NDArray[np.bool_]:
    """Return which hashes are among sorted distinct values; `numpy.isin` would sort both."""
    found = np.zeros(hashes.size, np.bool_)
    found[_found(values, hashes)[0]] = True
    return found


def places_in(values: Hashes, hashes: Hashes) -> NDArray[np.int64]:
    """Return the place of each hash in sorted distinct values; -1 where it is not among them."""
    found = np.full(hashes.size, -1, np.int64)
    positions, places = _found(values, hashes)
    found[positions] = places
    return found


def found_among(values: Hashes, hashes: Hashes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the positions of the hashes that are among sorted distinct values, and their places.

    The positions rise; the place of each is that in the values.
    """
    positions, places = _found(values, hashes)
    if values.size > _CACHED:
        order = np.argsort(positions)
        positions, places = positions[order], places[order]
    return positions, places


def _found(values: Hashes, hashes: Hashes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the positions of the hashes that are among values, in any order, and their places."""
    asked = _possibly_in(values, hashes)
    wanted = hashes[asked]
    if values.size > _CACHED:
        order = np.argsort(wanted)
        asked, wanted = asked[order], wanted[order]
    places = np.searchsorted(values, wanted)
    same = places < values.size
    same[same] = values[places[same]] == wanted[same]
    return asked[same], places[same]


def _possibly_in(values: Hashes, hashes: Hashes) -> NDArray[np.int64]:
    """Return the positions of the hashes that begin like one of the values."""
    begins = np.zeros(1 << _FILTER_BITS, np.bool_)
    begins[_beginning(values)] = True
    found = [
        np.flatnonzero(begins[_beginning(hashes[start : start + _FILTERED])]) + start
        for start in range(0, hashes.size, _FILTERED)
    ]
    return np.concatenate([np.empty(0, np.int64), *found])


def _beginning(hashes: Hashes) -> NDArray[np.int64]:
    return (hashes >> np.uint64(64 - _FILTER_BITS)).astype(np.int64)
