"""The passages that rows rest on, looked up in the chunks."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tasks.judging.base import JudgedRow
from tasks.row_names import joined_names, row_names
from tasks.text.markup import plain
from tasks.text.rows import strings

# What judges see of a chunk.
_SEEN = ["title", "heading_path", "text", "flags"]


class Passages:
    """The chunks by their identifiers; only those that rows name become Python objects.

    Args:
        chunks: Rows of the schema CHUNK, or None.
    """

    def __init__(self, chunks: pa.Table | None) -> None:
        self._chunks = chunks
        ids = [] if chunks is None else strings(chunks, "chunk_id")
        self._places: dict[str, int] = {name: place for place, name in enumerate(ids)}

    def judged_rows(self, rows: Sequence[Mapping[str, Any]]) -> list[JudgedRow]:
        """Return rows with their passages, headings and flags."""
        named = [
            [row["chunk_id"], *(other["chunk_id"] for other in row["other_chunks"])] for row in rows
        ]
        places = [self._known(names) for names in named]
        needed = sorted({place for found in places for place in found})
        chunks = dict(zip(needed, self._taken(needed).to_pylist(), strict=True))
        return [
            _judged_row(row, [chunks[place] for place in found])
            for row, found in zip(rows, places, strict=True)
        ]

    def names(self, examples: pa.Table) -> list[bytes]:
        """Return for each row a name of all that a verdict on it depends on."""
        places = [self._known(names) for names in _named(examples)]
        needed = sorted({place for found in places for place in found})
        names = dict(zip(needed, row_names(self._taken(needed)), strict=True))
        return [
            joined_names([own, *(names[place] for place in found)])
            for own, found in zip(row_names(examples), places, strict=True)
        ]

    def _known(self, names: Sequence[str]) -> list[int]:
        return [self._places[name] for name in names if name in self._places]

    def _taken(self, places: Sequence[int]) -> pa.Table:
        if self._chunks is None:
            empty: dict[str, list[Any]] = {name: [] for name in _SEEN}
            return pa.table(empty)
        return self._chunks.select(_SEEN).take(pa.array(places, pa.int64()))


def _named(examples: pa.Table) -> list[list[str]]:
    """Return the chunks that each row names, its own first."""
    own = [[name] for name in strings(examples, "chunk_id")]
    others: Any = examples.column("other_chunks")
    for row in np.flatnonzero(pc.list_value_length(others).to_numpy()).tolist():
        own[row] += [other["chunk_id"] for other in others[row].as_py()]
    return own


def _judged_row(values: Mapping[str, Any], chunks: Sequence[Mapping[str, Any]]) -> JudgedRow:
    passage = values["context"] or "\n\n".join(str(chunk["text"]) for chunk in chunks)
    headings = [
        plain(name) for chunk in chunks for name in (chunk["title"], *chunk["heading_path"])
    ]
    flags = frozenset(values["flags"]).union(*(chunk["flags"] for chunk in chunks))
    return JudgedRow(values, passage, tuple(dict.fromkeys(headings)), flags)
