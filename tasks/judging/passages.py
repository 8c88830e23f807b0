"""The passages that rows rest on, looked up in the chunks."""

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from tasks.judging.base import JudgedRow
from tasks.text.markup import plain


class Passages:
    """The chunks by their identifiers.

    Args:
        chunks: Rows of the schema CHUNK, or None.
    """

    def __init__(self, chunks: pa.Table | None) -> None:
        rows = chunks.to_pylist() if chunks is not None else []
        self._chunks: dict[str, Mapping[str, Any]] = {row["chunk_id"]: row for row in rows}

    def judged_row(self, values: Mapping[str, Any]) -> JudgedRow:
        """Return a row with its passage, headings and flags."""
        chunks = list(self._of(values))
        passage = values["context"] or "\n\n".join(str(chunk["text"]) for chunk in chunks)
        headings = [
            plain(name) for chunk in chunks for name in (chunk["title"], *chunk["heading_path"])
        ]
        flags = frozenset(values["flags"]).union(*(chunk["flags"] for chunk in chunks))
        return JudgedRow(values, passage, tuple(dict.fromkeys(headings)), flags)

    def _of(self, values: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        names = [values["chunk_id"], *(other["chunk_id"] for other in values["other_chunks"])]
        return (self._chunks[name] for name in names if name in self._chunks)
