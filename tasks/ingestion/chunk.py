"""Chunking: documents are cut where their structure allows, never across a heading."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data_contracts.base import digest
from data_contracts.dataset import StageResult, count_reasons
from data_contracts.errors import DocumentsError
from data_contracts.schemas import CHUNK, blank_row, dropped_schema
from tasks.crew import OpenCrew
from tasks.ingestion.blocks import Block, Span, find_blocks
from tasks.ingestion.config import ChunkingConfig
from tasks.ingestion.sentences import sentence_spans
from tasks.modeling.tokens import TokenCounter, TokenizerFile
from tasks.partitions import Partition
from tasks.remembered_rows import RememberedRows, UnitRows, rows_of
from tasks.row_names import row_names
from tasks.text.instructions import FLAG, find_instructions

Row = dict[str, Any]

_ADDRESS = re.compile(r"\S+://\S+|www\.\S+|\S+@\S+\.\w+")
_WORD = re.compile(r"[^\W\d_]{2,}")
_SPACE = re.compile(r"\s+")
# The columns of a document that its chunks depend on.
CHUNKED_COLUMNS = ["document_id", "title", "text", "pages", "language"]
# Documents that a process of a crew is given at a time: about a second's work. Fewer than that are
# cut here.
TOGETHER = 32
# Fewer words than this, addresses not counted, state nothing.
_LEAST_WORDS = 4


@dataclass(frozen=True)
class _Piece:
    """A chunk in the making: its span and the headings it stands under."""

    span: Span
    headings: tuple[str, ...]


def chunk_documents(
    documents: pa.Table,
    config: ChunkingConfig,
    count_tokens: TokenCounter,
    remembered: RememberedRows | None = None,
    crew: OpenCrew | None = None,
) -> StageResult:
    """Cut documents into chunks.

    Every chunk's text is exactly `document.text[start:end]`; the chunks of a document are
    in order and do not overlap. Paragraphs, lists and tables stay whole where they fit;
    longer ones are divided between items, rows or sentences.

    Args:
        documents: Rows of the schema DOCUMENT.
        config: Sizes.
        count_tokens: Counts tokens as the base model does.
        remembered: The chunks of documents that an earlier run cut in the same way.
        crew: Opens processes that share the work; `count_tokens` must be something that can be
            sent to them.

    Raises:
        ConfigError: They cannot be had.
        DocumentsError: No chunk is left.
        EngineError: They were lost.
    """
    needed = documents.select(CHUNKED_COLUMNS)

    def cut(places: list[int]) -> UnitRows:
        new = needed.take(pa.array(places, pa.int64()))
        if crew is None or len(places) <= TOGETHER:
            parts = cut_documents(new, config, count_tokens)
        else:
            parts = _cut_by(crew, new, config, count_tokens)
        return rows_of(parts, CHUNK, dropped_schema(CHUNK))

    known = remembered or remembered_chunks(None, "")
    found = known.rows(row_names(needed), cut)
    kept, gone = found.kept.table, found.dropped.table
    if not kept.num_rows:
        raise _nothing_left(documents.num_rows, gone, config)
    figures = {
        "documents_with_chunks": float(pc.count_distinct(kept.column("document_id")).as_py()),
        "mean_tokens": pc.sum(kept.column("n_tokens")).as_py() / kept.num_rows,
    }
    rows_in = kept.num_rows + gone.num_rows
    return StageResult(kept=kept, dropped=gone, rows_in=rows_in, figures=figures)


def cut_documents(
    documents: pa.Table, config: ChunkingConfig, count_tokens: TokenCounter
) -> list[Partition]:
    """Return the chunks of each document; those to be dropped have a reason."""
    rows = documents.to_pylist()
    return [_partition(_chunk_rows(document, config, count_tokens)) for document in rows]


def _cut_by(
    open_crew: OpenCrew, documents: pa.Table, config: ChunkingConfig, count_tokens: TokenCounter
) -> list[Partition]:
    with open_crew() as crew:
        counter = count_tokens
        if isinstance(count_tokens, TokenizerFile):
            counter = crew.share(counter, count_tokens.content)
        # taken, not sliced: a slice would be sent with all that it was cut from
        starts = range(0, documents.num_rows, TOGETHER)
        places = np.arange(documents.num_rows)
        calls = (
            (documents.take(places[start : start + TOGETHER]), config, counter) for start in starts
        )
        return [part for done in crew.results(cut_documents, calls) for part in done]


def remembered_chunks(folder: Path | None, basis: object) -> RememberedRows:
    """Return the chunks that the last run cut.

    Args:
        folder: Where they are kept; None to remember nothing.
        basis: All that they depend on beside the document.
    """
    return RememberedRows(folder, basis, CHUNK, dropped_schema(CHUNK))


def _partition(rows: Sequence[Row]) -> Partition:
    kept = [_without_reason(row) for row in rows if row["reason"] is None]
    dropped = [row for row in rows if row["reason"] is not None]
    return Partition(
        pa.Table.from_pylist(kept, schema=CHUNK),
        pa.Table.from_pylist(dropped, schema=dropped_schema(CHUNK)),
    )


def _nothing_left(documents: int, gone: pa.Table, config: ChunkingConfig) -> DocumentsError:
    reasons = ", ".join(f"{n} {reason}" for reason, n in count_reasons(gone).items())
    return DocumentsError(
        f"The {documents} documents yield no chunk to learn from ({reasons or 'no text'}). "
        f"Chunks need at least {config.min_tokens} tokens (min_tokens): lower it, or give "
        "documents with more text."
    )


def _without_reason(row: Row) -> Row:
    return {name: row[name] for name in CHUNK.names}


def _chunk_rows(document: Row, config: ChunkingConfig, count_tokens: TokenCounter) -> list[Row]:
    """Return all chunks of a document; those to be dropped have a reason."""
    text = document["text"]
    pieces = list(_pieces(text, config.max_tokens, count_tokens))
    texts = [text[slice(*piece.span)] for piece in pieces]
    occurrences = Counter[str]()
    rows = []
    for index, (piece, words, n) in enumerate(
        zip(pieces, texts, count_tokens(texts) if texts else [], strict=True)
    ):
        name = [document["document_id"], words, occurrences[words]]
        occurrences[words] += 1
        rows.append(
            blank_row(CHUNK)
            | {
                "chunk_id": digest(name, length=16),
                "document_id": document["document_id"],
                "chunk_index": index,
                "title": document["title"],
                "heading_path": list(piece.headings),
                "text": words,
                "start": piece.span[0],
                "end": piece.span[1],
                "page": _page(document["pages"], piece.span[0]),
                "n_tokens": n,
                "language": document["language"],
                "flags": [FLAG] if find_instructions(words) else [],
            }
            | _reason(words, n, config)
        )
    return rows


def _reason(text: str, n_tokens: int, config: ChunkingConfig) -> Row:
    if n_tokens < config.min_tokens:
        detail = f"{n_tokens} tokens; at least {config.min_tokens} are needed (min_tokens)."
        return {"reason": "too_short", "detail": detail}
    if len(_WORD.findall(_ADDRESS.sub(" ", text))) < _LEAST_WORDS:
        return {"reason": "no_prose", "detail": "It holds addresses, numbers or marks only."}
    return {"reason": None, "detail": None}


def _page(pages: Sequence[Row], position: int) -> int | None:
    """Return the page a position lies on; the space between two pages belongs to the first."""
    begun = [page["page"] for page in pages if page["start"] <= position]
    return begun[-1] if begun else None


def _pieces(text: str, limit: int, count_tokens: TokenCounter) -> Iterator[_Piece]:
    def fits(span: Span) -> bool:
        return count_tokens([text[slice(*span)]])[0] <= limit

    for headings, section in groupby(find_blocks(text), key=lambda block: block.headings):
        for span in _pack(text, list(section), fits):
            yield _Piece(span, headings)


def _pack(text: str, blocks: Sequence[Block], fits: Callable[[Span], bool]) -> Iterator[Span]:
    """Join consecutive units as long as they fit; a lead-in goes with what it leads in."""
    current: list[Span] = []
    for unit in _units(text, blocks, fits):
        if current and not fits((current[0][0], unit[1])):
            carried = _lead_in(text, current, unit, fits)
            yield current[0][0], current[-1 - len(carried)][1]
            current = carried
        current.append(unit)
    if current:
        yield current[0][0], current[-1][1]


def _lead_in(
    text: str, current: Sequence[Span], unit: Span, fits: Callable[[Span], bool]
) -> list[Span]:
    """Return the last span of a chunk if it ends in a colon and can go into the next chunk."""
    start, end = current[-1]
    leads_in = len(current) > 1 and text[start:end].endswith(":")
    return [current[-1]] if leads_in and fits((start, unit[1])) else []


def _units(text: str, blocks: Sequence[Block], fits: Callable[[Span], bool]) -> Iterator[Span]:
    """Return spans that each fit: whole blocks, or parts of long ones."""
    for block in blocks:
        if fits(block.span):
            yield block.span
        elif block.parts:
            for part in block.parts:
                yield from _divide(text, part, fits)
        else:
            yield from _divide(text, block.span, fits)


def _divide(text: str, span: Span, fits: Callable[[Span], bool]) -> Iterator[Span]:
    """Divide a span at sentence ends; a sentence too long for a chunk, between words."""
    if fits(span):
        yield span
        return
    sentences = sentence_spans(text, *span)
    if len(sentences) > 1:
        for sentence in sentences:
            yield from _divide(text, sentence, fits)
    elif span[1] - span[0] > 1:
        for half in _halves(text, span):
            yield from _divide(text, half, fits)
    else:
        yield span


def _halves(text: str, span: Span) -> list[Span]:
    """Divide a span at the white space nearest to its middle, or in the middle of a word."""
    start, end = span
    middle = (start + end) // 2
    spaces = [found.span() for found in _SPACE.finditer(text, start + 1, end - 1)]
    if spaces:
        left, right = min(spaces, key=lambda space: abs(space[0] - middle))
        return [(start, left), (right, end)]
    return [(start, middle), (middle, end)]
