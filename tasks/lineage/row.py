"""From a row back to the document: what it was made from, by what, and what became of it."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from data_contracts.base import Result
from data_contracts.errors import DatasetError
from tasks.lineage.origin import read_rows
from tasks.lineage.registered import RegisteredVersion, trained_on_any
from tasks.text.rows import strings
from tasks.versions.find import FINISHED, Version, list_versions

Row = Mapping[str, Any]

# Longer lines of parents than this are a loop in broken data.
_MOST_PARENTS = 20


class Step(Result):
    """What one stage did with a row.

    `outcome` is `kept` or `dropped`; a drop has the stage's reason.
    """

    example_id: str
    stage: str
    fingerprint: str
    outcome: Literal["kept", "dropped"]
    reason: str | None = None
    detail: str | None = None
    duplicate_of: str | None = None
    similarity: float | None = None


class Passage(Result):
    """A chunk that a row rests on, with the document it lies in."""

    document_id: str
    path: str | None
    title: str | None
    sha256: str | None
    chunk_id: str
    page: int | None
    start: int | None
    end: int | None
    text: str | None


class RowTrace(Result):
    """Everything known about where a row comes from.

    Attributes:
        row: Its cells in the latest dataset that has it.
        passages: The chunks it rests on, its own first; empty cells where a dataset that told
            them is gone or the row was imported.
        evidence: The words of the document that support the answer.
        parents: Identifiers of the rows it was derived from, the nearest first.
        children: Identifiers of the rows derived from it.
        steps: What each stage did with it, and before that with the rows it was derived from.
        registered: The registered versions whose dataset has it, for training or for testing.
    """

    example_id: str
    row: dict[str, Any]
    passages: list[Passage]
    evidence: str | None
    parents: list[str]
    children: list[str]
    steps: list[Step]
    registered: list[RegisteredVersion]


def trace_row(
    home: Path,
    lineage: Sequence[Version],
    example_id: str,
    registered: Sequence[RegisteredVersion],
) -> RowTrace | None:
    """Return where a row of a dataset comes from; None if no stage has it.

    Args:
        home: Temper's home.
        lineage: The dataset's ancestors and itself, parents first.
        example_id: The row.
        registered: The registered versions among which those with the row are looked for.

    Raises:
        DatasetError: A dataset cannot be read.
    """
    found = [hit for version in lineage for hit in _hits(version, example_id)]
    if not found:
        return None
    row = found[-1][1]
    documents, chunks = _lookup(lineage, "ingestion"), _lookup(lineage, "chunking")
    parents = list(_parents(lineage, row))
    line = [*reversed(parents), example_id]
    named = [(row["document_id"], row["chunk_id"])]
    named += [(other["document_id"], other["chunk_id"]) for other in row["other_chunks"] or []]
    return RowTrace(
        example_id=example_id,
        row=dict(row),
        passages=[_passage(*names, documents, chunks) for names in named],
        evidence=_evidence(row, documents),
        parents=parents,
        children=_children(lineage, example_id),
        steps=[step for name in line for v in lineage for step, _ in _hits(v, name)],
        registered=trained_on_any(registered, _contents_with(home, example_id)),
    )


def _contents_with(home: Path, example_id: str) -> set[str]:
    """Return the content hashes of the finished datasets that have a row."""
    return {
        version.manifest.content_sha256
        for version in list_versions(home, *FINISHED)
        if read_rows(version, "example_id", example_id).num_rows
    }


def _hits(version: Version, example_id: str) -> Iterator[tuple[Step, Row]]:
    for dropped in (False, True):
        for row in read_rows(version, "example_id", example_id, dropped).to_pylist():
            yield _step(version, row), row


def _step(version: Version, row: Row) -> Step:
    reason = row.get("reason")
    return Step(
        example_id=row["example_id"],
        stage=version.manifest.stage,
        fingerprint=version.manifest.fingerprint,
        outcome="dropped" if reason else "kept",
        reason=reason,
        detail=row.get("detail"),
        duplicate_of=row.get("duplicate_of"),
        similarity=row.get("similarity"),
    )


class _Lookup:
    """Finds single rows of the datasets of one stage."""

    def __init__(self, versions: Sequence[Version]) -> None:
        self.versions = versions

    def first(self, column: str, value: str) -> Row:
        for version in self.versions:
            for row in read_rows(version, column, value).to_pylist():
                return dict(row)
        return {}


def _lookup(lineage: Sequence[Version], stage: str) -> _Lookup:
    return _Lookup([version for version in lineage if version.manifest.stage == stage])


def _passage(document_id: str, chunk_id: str, documents: _Lookup, chunks: _Lookup) -> Passage:
    document = documents.first("document_id", document_id)
    chunk = chunks.first("chunk_id", chunk_id)
    from_document = {name: document.get(name) for name in ("path", "title", "sha256")}
    from_chunk = {name: chunk.get(name) for name in ("page", "start", "end", "text")}
    return Passage(document_id=document_id, chunk_id=chunk_id, **from_document, **from_chunk)


def _evidence(row: Row, documents: _Lookup) -> str | None:
    text = documents.first("document_id", row["document_id"]).get("text")
    start, end = row["evidence_start"], row["evidence_end"]
    return None if text is None or start is None or end is None else str(text[start:end])


def _parents(lineage: Sequence[Version], row: Row) -> Iterator[str]:
    parent = row["parent_id"]
    for _ in range(_MOST_PARENTS):
        if parent is None:
            return
        yield parent
        hits = [hit for version in lineage for _, hit in _hits(version, parent)]
        parent = hits[-1]["parent_id"] if hits else None
    raise DatasetError(
        f"Row {row['example_id']} has more than {_MOST_PARENTS} parents in line: its `parent_id` "
        "leads in a circle. Build the dataset again."
    )


def _children(lineage: Sequence[Version], example_id: str) -> list[str]:
    return sorted(strings(read_rows(lineage[-1], "parent_id", example_id), "example_id"))
