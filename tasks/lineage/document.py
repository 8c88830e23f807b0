"""From a document to what came of it: chunks, rows, dataset versions, models."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from data_contracts.base import Result
from tasks.lineage.models import models_trained_on
from tasks.lineage.origin import not_forgotten, of_documents, read_part
from tasks.lineage.registered import RegisteredVersion, trained_on_any
from tasks.versions.find import Version, list_versions

_CHUNK_COLUMNS = ("chunk_id", "chunk_index", "heading_path", "page", "start", "end", "text")
_ROW_COLUMNS = (
    "example_id", "kind", "generator", "question", "answer", "chunk_id", "parent_id", "group_id",
    "split",
)  # fmt: skip
_REASONS = ("reason", "detail", "duplicate_of")


class Containing(Result):
    """A dataset version that holds a document or something made of it."""

    stage: str
    fingerprint: str
    content: str
    folder: Path
    created: str
    kept: int
    dropped: int


class TunedOn(Result):
    """A model that was trained on a dataset with rows of a document."""

    fingerprint: str
    method: str
    created: str
    datasets: list[str]


class DocumentTrace(Result):
    """What came of a document.

    Attributes:
        documents: The document as ingestion has it; several for the members of an archive.
        chunks: Its chunks; those dropped have a `reason`.
        rows: Rows made of it or resting on it, each with `last_stage`, the last that has it, and
            a `reason` where that one dropped it.
        versions: The dataset versions that hold any of it.
        models: The models on this machine that were trained on one of these.
        registered: The registered versions that were.
    """

    documents: list[dict[str, Any]]
    chunks: list[dict[str, Any]]
    rows: list[dict[str, Any]]
    versions: list[Containing]
    models: list[TunedOn]
    registered: list[RegisteredVersion]


def find_documents(lineage: Sequence[Version], name: str) -> list[dict[str, Any]]:
    """Return the rows of ingestion, kept or dropped, of a document.

    Args:
        lineage: A dataset's ancestors and itself.
        name: Path or document_id; the path of an archive names all its members.
    """
    found = []
    for version in _of_stage(lineage, "ingestion"):
        for dropped in (False, True):
            table = read_part(version, dropped)
            path, identifier = table.column("path"), table.column("document_id")
            inside = pc.starts_with(path, f"{name}/")
            named = pc.or_(pc.equal(path, pa.scalar(name)), pc.equal(identifier, pa.scalar(name)))
            found += table.filter(pc.or_(named, inside)).to_pylist()
    return found


def trace_document(
    home: Path, lineage: Sequence[Version], name: str, registered: Sequence[RegisteredVersion]
) -> DocumentTrace | None:
    """Return what came of a document in a dataset; None if ingestion does not know it.

    Args:
        home: Temper's home.
        lineage: The dataset's ancestors and itself, parents first.
        name: Path or document_id.
        registered: The registered versions among which those with the document are looked for.
    """
    documents = find_documents(lineage, name)
    if not documents:
        return None
    ids = {document["document_id"] for document in documents}
    versions = versions_with(home, ids)
    return DocumentTrace(
        documents=[_without_text(document) for document in documents],
        chunks=_chunks(_of_stage(lineage, "chunking"), ids),
        rows=_rows(lineage, ids),
        versions=versions,
        models=tuned_on(home, versions),
        registered=registered_with(registered, versions),
    )


def versions_with(home: Path, document_ids: Iterable[str]) -> list[Containing]:
    """Return the dataset versions of a home that hold any of the documents, the oldest first."""
    ids = set(document_ids)
    found = []
    for version in list_versions(home):
        tables = [not_forgotten(read_part(version, dropped)) for dropped in (False, True)]
        counts = [of_documents(table, ids).num_rows for table in tables]
        if any(counts):
            found.append(_containing(version, *counts))
    return found


def tuned_on(home: Path, versions: Sequence[Containing]) -> list[TunedOn]:
    """Return the models trained on one of the dataset versions."""
    kept = {version.fingerprint: version.content for version in versions if version.kept}
    return [
        TunedOn(
            fingerprint=model.fingerprint,
            method=str(model.method.get("method", "")),
            created=model.created,
            datasets=sorted(name for name, content in kept.items() if content == model.examples),
        )
        for model in models_trained_on(home, kept.values())
    ]


def registered_with(
    registered: Sequence[RegisteredVersion], versions: Sequence[Containing]
) -> list[RegisteredVersion]:
    """Return the registered versions trained on one of the dataset versions."""
    return trained_on_any(registered, {version.content for version in versions if version.kept})


def _containing(version: Version, kept: int, dropped: int) -> Containing:
    manifest = version.manifest
    return Containing(
        stage=manifest.stage,
        fingerprint=manifest.fingerprint,
        content=manifest.content_sha256,
        folder=version.folder,
        created=manifest.created,
        kept=kept,
        dropped=dropped,
    )


def _of_stage(lineage: Sequence[Version], stage: str) -> list[Version]:
    return [version for version in lineage if version.manifest.stage == stage]


def _without_text(document: dict[str, Any]) -> dict[str, Any]:
    return {name: v for name, v in document.items() if name not in ("text", "raw_text", "pages")}


def _chunks(versions: Sequence[Version], ids: set[str]) -> list[dict[str, Any]]:
    found = []
    for version in versions:
        for dropped in (False, True):
            table = of_documents(read_part(version, dropped), ids)
            found += _selected(table, _CHUNK_COLUMNS)
    return sorted(found, key=lambda chunk: (chunk["start"], chunk["chunk_id"]))


def _rows(lineage: Sequence[Version], ids: set[str]) -> list[dict[str, Any]]:
    """Return every row once, as the last stage that has it left it."""
    found: dict[str, dict[str, Any]] = {}
    for version in lineage:
        for dropped in (False, True):
            table = read_part(version, dropped)
            if "example_id" not in table.column_names:
                continue
            for row in _selected(of_documents(table, ids), _ROW_COLUMNS):
                found[row["example_id"]] = row | {"last_stage": version.manifest.stage}
    return sorted(found.values(), key=lambda row: str(row["example_id"]))


def _selected(table: pa.Table, columns: Sequence[str]) -> list[dict[str, Any]]:
    names = [name for name in (*columns, *_REASONS) if name in table.column_names]
    rows: list[dict[str, Any]] = table.select(names).to_pylist()
    return rows
