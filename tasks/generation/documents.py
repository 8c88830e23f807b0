"""Chunks grouped into documents, as generators see them."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import pyarrow as pa

from tasks.generation.base import ChunkView
from tasks.generation.lists import link_words
from tasks.generation.passage import plain, unnumbered
from tasks.row_names import joined_names, row_names
from tasks.text.rows import strings

# What rows depend on, of a document and of its chunks.
_OF_DOCUMENT = ["document_id", "text", "raw_text", "pages"]
_OF_CHUNK = [
    "chunk_id", "title", "heading_path", "text", "start", "page", "language", "flags",
]  # fmt: skip


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


class Sources:
    """The documents that have chunks, in the order of their identifiers; each is made on demand.

    Args:
        chunks: All columns of CHUNK.
        documents: `document_id`, `text`, `raw_text` and `pages` of DOCUMENT.
    """

    def __init__(self, chunks: pa.Table, documents: pa.Table) -> None:
        self._chunks, self._documents = chunks, documents.select(_OF_DOCUMENT)
        grouped: defaultdict[str, list[int]] = defaultdict(list)
        for place, name in enumerate(strings(chunks, "document_id")):
            grouped[name].append(place)
        order: list[Any] = chunks.column("chunk_index").to_pylist()
        self._ids = sorted(grouped)
        self._rows = [sorted(grouped[name], key=order.__getitem__) for name in self._ids]
        parents = strings(documents, "document_id")
        self._parents = {name: place for place, name in enumerate(parents)}
        self._made: dict[int, SourceDocument] = {}

    def __len__(self) -> int:
        """How many there are."""
        return len(self._ids)

    def __iter__(self) -> Iterator[SourceDocument]:
        """Yield all of them."""
        return iter(self.at(range(len(self))))

    def names(self) -> list[bytes]:
        """Return for each document a name of everything that its rows depend on."""
        chunks = row_names(self._chunks, _OF_CHUNK)
        documents = row_names(self._documents)
        return [
            joined_names([documents[self._parents[name]], *(chunks[row] for row in rows)])
            for name, rows in zip(self._ids, self._rows, strict=True)
        ]

    def at(self, places: Sequence[int]) -> list[SourceDocument]:
        """Return the documents at some places."""
        new = [place for place in places if place not in self._made]
        taken = [row for place in new for row in self._rows[place]]
        chunks = iter(self._chunks.take(pa.array(taken, pa.int64())).to_pylist())
        parents = [self._parents[self._ids[place]] for place in new]
        documents = self._documents.take(pa.array(parents, pa.int64())).to_pylist()
        for place, document in zip(new, documents, strict=True):
            rows = list(islice(chunks, len(self._rows[place])))
            self._made[place] = _source_document(document, rows)
        return [self._made[place] for place in places]


def _source_document(
    document: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]
) -> SourceDocument:
    pages = tuple((p["page"], p["start"], p["end"]) for p in document["pages"])
    links = link_words(document["raw_text"])
    views = tuple(_source_chunks(rows, document["text"], links))
    return SourceDocument(document["document_id"], views, document["text"], pages)


def _source_chunks(
    rows: Sequence[Mapping[str, Any]], text: str, links: frozenset[str]
) -> Iterator[SourceChunk]:
    siblings = tuple(row["text"] for row in rows)
    for row in rows:
        view = ChunkView(
            chunk_id=row["chunk_id"],
            title=plain(row["title"]),
            headings=tuple(unnumbered(plain(name)) for name in row["heading_path"]),
            text=row["text"],
            document=text,
            start=row["start"],
            siblings=siblings,
            document_id=row["document_id"],
            language=row["language"],
            flags=tuple(row["flags"]),
            links=links,
        )
        yield SourceChunk(view, row["start"], row["page"])
