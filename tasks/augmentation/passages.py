"""The passages that rows rest on, and those of other documents that lie around them."""

from bisect import bisect
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import pyarrow as pa

from data_contracts.base import digest
from tasks.augmentation.augmenter import Example, Passage
from tasks.text.instructions import FLAG
from tasks.text.markup import plain

Row = dict[str, Any]

# Passages of other documents that a row is offered: some are too long or may answer it.
OFFERED = 8


class Passages:
    """The chunks by their identifiers, and the contexts of training rows in a ring.

    A row takes the passages that follow its own place in the ring. So a new document
    changes the offers only of the rows just before its passages (consistent hashing).

    Args:
        chunks: Rows of the schema CHUNK, or None.
        training: The training rows whose contexts may be given to others.
        seed: Turns the ring.
    """

    def __init__(self, chunks: pa.Table | None, training: Sequence[Row], seed: int) -> None:
        rows = chunks.to_pylist() if chunks is not None else []
        self._chunks: dict[str, Mapping[str, Any]] = {row["chunk_id"]: row for row in rows}
        self.seed = seed
        safe = [row for row in training if FLAG not in row["flags"]]
        given = {(r["chunk_id"], r["context"]): r["document_id"] for r in safe if r["context"]}
        found = [Passage(document, chunk, text) for (chunk, text), document in given.items()]
        ring = sorted((digest([seed, p.chunk_id, p.text]), p) for p in found)
        self._places, self._ring = [place for place, _ in ring], [passage for _, passage in ring]

    def example(self, row: Row, *, around: bool) -> Example:
        """Return a row as augmenters see it.

        Args:
            row: The row.
            around: Whether to offer passages of other documents.
        """
        chunks = list(self._of(row))
        own = row["context"] or "\n\n".join(str(chunk["text"]) for chunk in chunks)
        names = [plain(name) for c in chunks for name in (c["title"], *c["heading_path"])]
        return Example(
            row["kind"],
            row["question"],
            row["answer"],
            row["context"],
            row["language"],
            own,
            tuple(dict.fromkeys(names)),
            tuple(islice(self._around(row), OFFERED)) if around and row["context"] else (),
        )

    def _of(self, row: Row) -> Iterator[Mapping[str, Any]]:
        names = [row["chunk_id"], *(other["chunk_id"] for other in row["other_chunks"])]
        return (self._chunks[name] for name in names if name in self._chunks)

    def _around(self, row: Row) -> Iterator[Passage]:
        """Yield the passages that follow a row in the ring, of other documents."""
        own = {row["document_id"], *(other["document_id"] for other in row["other_chunks"])}
        start = bisect(self._places, digest([self.seed, row["example_id"]]))
        for passage in (*self._ring[start:], *self._ring[:start]):
            if passage.document_id not in own:
                yield passage
