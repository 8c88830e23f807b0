"""Chunks grouped into documents, as generators see them."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from tasks.generation.base import ChunkView
from tasks.generation.passage import plain


@dataclass(frozen=True)
class SourceChunk:
    """A chunk with its place in the document."""

    view: ChunkView
    start: int
    page: int | None


@dataclass(frozen=True)
class SourceDocument:
    """A document's chunks in order, and the spans of its pages."""

    document_id: str
    chunks: tuple[SourceChunk, ...]
    text: str
    pages: tuple[tuple[int, int, int], ...]

    def page_at(self, chunk: SourceChunk, position: int) -> int | None:
        """Return the page at a position of the document's text."""
        for page, start, end in self.pages:
            if start <= position < end:
                return page
        return chunk.page

    def content(self) -> list[Any]:
        """Return everything that rows made from this document depend on, JSON-able."""
        rows = [
            [
                *(c.view.chunk_id, c.view.title, *c.view.headings, c.view.text),
                *(c.start, c.page, c.view.language, *c.view.flags),
            ]
            for c in self.chunks
        ]
        return [self.document_id, self.text, rows, self.pages]


def source_documents(chunks: pa.Table, documents: pa.Table) -> Iterator[SourceDocument]:
    """Yield the documents that have chunks, in the order of their identifiers."""
    columns = documents.select(["document_id", "text", "pages"])
    parents = {row["document_id"]: row for row in columns.to_pylist()}
    grouped: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in chunks.to_pylist():
        grouped[row["document_id"]].append(row)
    for document_id in sorted(grouped):
        rows = sorted(grouped[document_id], key=lambda row: int(row["chunk_index"]))
        text = parents[document_id]["text"]
        pages = tuple((p["page"], p["start"], p["end"]) for p in parents[document_id]["pages"])
        yield SourceDocument(document_id, tuple(_source_chunks(rows, text)), text, pages)


def _unnumbered(heading: str) -> str:
    """Return a heading without its number: "9. Galley rules"."""
    return re.sub(r"^\d+(?:\.\d+)*[.)]?\s+(?=[A-Z])", "", heading)


def _source_chunks(rows: Sequence[Mapping[str, Any]], text: str) -> Iterator[SourceChunk]:
    siblings = tuple(row["text"] for row in rows)
    for row in rows:
        view = ChunkView(
            chunk_id=row["chunk_id"],
            title=plain(row["title"]),
            headings=tuple(_unnumbered(plain(name)) for name in row["heading_path"]),
            text=row["text"],
            document=text,
            start=row["start"],
            siblings=siblings,
            document_id=row["document_id"],
            language=row["language"],
            flags=tuple(row["flags"]),
        )
        yield SourceChunk(view, row["start"], row["page"])
