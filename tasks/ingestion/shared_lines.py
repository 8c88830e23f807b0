"""The lines that too many documents share, counted by their hashes.

A document's lines are hashed once; counting is then a sort of numbers, whatever the texts' size.
Two of a billion lines have the same hash with a probability of 3 %.
"""

import re
from collections.abc import Iterator
from math import ceil
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tasks.ingestion.config import IngestionConfig
from tasks.text.shingles import Hashes, text_hash

_DIGITS = re.compile(r"\d+")
# Headings, table rows and code fences give a text its form; "## Contact" may stand in
# every document and still head what is particular to each.
_STRUCTURE = re.compile(r"^\s*(#{1,6} |\||```|~~~)")
_LIST_MARK = re.compile(r"^\s*(- |\d+\. )")

# Hashes sorted at once: 128 MB.
_MOST_SORTED = 1 << 24

Mask = NDArray[np.bool_]
Column: TypeAlias = "pa.ChunkedArray[Any]"


def line_key(line: str) -> str:
    """Return what makes two lines the same: case, numbers and list marks aside."""
    if _STRUCTURE.match(line):
        return ""
    return _DIGITS.sub("0", " ".join(_LIST_MARK.sub("", line).casefold().split()))


def line_hashes(text: str) -> list[int]:
    """Return the hashes of the distinct lines of a text that can be shared."""
    return [text_hash(key) for key in sorted(_keys(text))]


def find_boilerplate(
    texts: Column, lines: Column, counted: Mask, config: IngestionConfig
) -> dict[str, int]:
    """Return the lines that too many documents share, normalised, with how many have them.

    Args:
        texts: The documents' texts; read are those of a few that have such lines.
        lines: The hashes of each text's lines.
        counted: Which documents count: copies do not.
        config: How many is too many.
    """
    least = int(config.boilerplate_share * counted.sum()) + 1
    least = max(config.boilerplate_min_documents, least)
    hashes, owners = _owned(lines)
    often = dict(_often(hashes[counted[owners]], least))
    wanted = set(often)
    found: dict[str, int] = {}
    for row in np.unique(owners[np.isin(hashes, list(often))]).tolist() if often else []:
        keys = {text_hash(key): key for key in _keys(texts[row].as_py())}
        for name in wanted & keys.keys():
            found[keys[name]] = often[name]
        wanted -= keys.keys()
        if not wanted:
            break
    return dict(sorted(found.items()))


def sharing(lines: Column, boilerplate: dict[str, int]) -> Mask:
    """Return which documents have one of those lines."""
    hashes, owners = _owned(lines)
    has = np.zeros(len(lines), np.bool_)
    if boilerplate:
        shared = np.array([text_hash(key) for key in boilerplate], np.uint64)
        has[owners[np.isin(hashes, shared)]] = True
    return has


def _keys(text: str) -> set[str]:
    return {line_key(line) for line in text.split("\n")} - {""}


def _owned(lines: Column) -> tuple[Hashes, NDArray[np.int64]]:
    """Return all hashes, and the position of the document that each is of."""
    lengths = pc.list_value_length(lines).to_numpy()
    return pc.list_flatten(lines).to_numpy(), np.repeat(np.arange(lengths.size), lengths)


def _often(hashes: Hashes, least: int) -> Iterator[tuple[int, int]]:
    """Yield the hashes that occur so often, and how often."""
    parts = ceil(hashes.size / _MOST_SORTED)
    for part in range(parts):
        own = hashes if parts == 1 else hashes[hashes % np.uint64(parts) == part]
        values, counts = np.unique(own, return_counts=True)
        many = counts >= least
        yield from zip(values[many].tolist(), counts[many].tolist(), strict=True)
