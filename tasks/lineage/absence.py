"""Proves that nothing of a document is left in a dataset and in the caches it was made with."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from data_contracts.base import Result
from tasks.lineage.origin import not_forgotten, of_documents, read_part
from tasks.lineage.purge import Traces, earlier_memos, partitions_with, replies_with
from tasks.text.hash_rows import HashRows
from tasks.text.overlap import closest_by_jaccard
from tasks.text.shingles import character_shingles
from tasks.versions.find import Version

# As curation's near-duplicates: five characters a shingle, 0.8 alike.
_SHINGLE, _NEAR = 5, 0.8


class NearDuplicate(Result):
    """A chunk of another document that says nearly the same."""

    chunk_id: str
    document_id: str
    similarity: float


class Absence(Result):
    """What of a document is left; all zero where it is gone.

    Attributes:
        rows_looked_at: Rows of all stages, kept and dropped.
        documents: Documents with its path or its bytes.
        chunks: Chunks of it.
        rows: Rows of it, or resting on a passage of it.
        children: Rows whose parent is a row of it.
        quotations: Rows with a run of words that only it has.
        partitions: Cached results with any of it.
        memos: Memos of runs that may have read it.
        replies: Lines of models' logs about it.
        near_duplicates: Chunks of other documents that say nearly the same.
    """

    rows_looked_at: int
    documents: int
    chunks: int
    rows: int
    children: int
    quotations: int
    partitions: int
    memos: int
    replies: int
    near_duplicates: list[NearDuplicate]

    @property
    def passed(self) -> bool:
        """Whether nothing is left."""
        counts = (self.documents, self.chunks, self.rows, self.children, self.quotations)
        cached = (self.partitions, self.memos, self.replies)
        return not any((*counts, *cached, self.near_duplicates))


def prove_absence(
    home: Path, lineage: Sequence[Version], traces: Traces, chunks: Sequence[str]
) -> Absence:
    """Look for a document in a dataset, its ancestors and the caches.

    Args:
        home: Temper's home.
        lineage: The new dataset's ancestors and itself.
        traces: What the document is known by.
        chunks: The texts of its chunks.
    """
    counts = dict.fromkeys(("documents", "chunks", "rows", "children", "quotations"), 0)
    looked_at = 0
    for version in lineage:
        for dropped in (False, True):
            table = not_forgotten(read_part(version, dropped))
            looked_at += table.num_rows
            _count(version.manifest.stage, table, traces, counts)
    return Absence(
        rows_looked_at=looked_at,
        **counts,
        partitions=sum(1 for _ in partitions_with(home, traces.forgotten)),
        memos=sum(1 for _ in earlier_memos(home)),
        replies=replies_with(home, traces),
        near_duplicates=_near([v for v in lineage if v.manifest.stage == "chunking"], chunks),
    )


def _count(stage: str, table: pa.Table, traces: Traces, counts: dict[str, int]) -> None:
    kind = {"ingestion": "documents", "chunking": "chunks"}.get(stage, "rows")
    if kind == "documents":
        counts[kind] += sum(bool(found) for found in traces.forgotten.rows(table).to_pylist())
    else:
        counts[kind] += of_documents(table, traces.forgotten.ids).num_rows
    if "parent_id" in table.column_names:
        names = pa.array(sorted(traces.examples), pa.string())
        counts["children"] += table.filter(pc.is_in(table.column("parent_id"), names)).num_rows
    counts["quotations"] += traces.wording.rows_with(table)


def _near(versions: Sequence[Version], chunks: Sequence[str]) -> list[NearDuplicate]:
    gone = _shingles(chunks)
    found = []
    for version in versions:
        rows = read_part(version).select(["chunk_id", "document_id", "text"]).to_pylist()
        closest = closest_by_jaccard(_shingles(str(row["text"]) for row in rows), gone)
        found += [
            NearDuplicate(
                chunk_id=row["chunk_id"], document_id=row["document_id"], similarity=float(value)
            )
            for row, value in zip(rows, closest.value, strict=True)
            if value >= _NEAR
        ]
    return found


def _shingles(texts: Iterable[str]) -> HashRows:
    return HashRows.of(character_shingles(text, _SHINGLE) for text in texts)
