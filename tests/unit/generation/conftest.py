"""Chunks and tables that several tests of generation share."""

import pyarrow as pa

from data_contracts.schemas import CHUNK, DOCUMENT, blank_row
from tasks.generation.base import ChunkView


def view(
    text: str,
    *headings: str,
    title: str = "Parking rules",
    before: str = "",
    after: str = "",
) -> ChunkView:
    """A chunk with the text that stands around it in its document."""
    return ChunkView(
        chunk_id="c1",
        title=title,
        headings=headings,
        text=text,
        document=before + text + after,
        start=len(before),
        siblings=(text,),
    )


def tables(*documents: tuple[str, list[tuple[list[str], str]]]) -> tuple[pa.Table, pa.Table]:
    """Chunk and document tables; a document is its title and sections (headings, text)."""
    chunk_rows, document_rows = [], []
    for number, (title, sections) in enumerate(documents):
        text, document_id = f"# {title}\n\n", f"doc-{number}"
        for index, (headings, body) in enumerate(sections):
            text += f"## {headings[-1]}\n\n" if headings else ""
            chunk_rows.append(
                blank_row(CHUNK)
                | {
                    "chunk_id": f"{document_id}-{index}",
                    "document_id": document_id,
                    "chunk_index": index,
                    "title": title,
                    "heading_path": headings,
                    "text": body,
                    "start": len(text),
                    "end": len(text) + len(body),
                    "page": None,
                    "n_tokens": len(body.split()),
                }
            )
            text += body + "\n\n"
        document_rows.append(
            blank_row(DOCUMENT)
            | {
                "document_id": document_id,
                "path": f"{number}.md",
                "sha256": "0" * 64,
                "media_type": "text/markdown",
                "parser": "markdown",
                "title": title,
                "raw_text": text,
                "text": text,
                "pages": [],
            }
        )
    return (
        pa.Table.from_pylist(chunk_rows, schema=CHUNK),
        pa.Table.from_pylist(document_rows, schema=DOCUMENT),
    )
