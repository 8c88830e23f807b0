"""Forgetting a document: what is known of it, what is removed, what is left."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from data_contracts.base import Result
from data_contracts.errors import UnknownName
from tasks.forgotten import Forgotten, ForgottenDocument
from tasks.ingestion.sources import document_id
from tasks.lineage.absence import Absence, prove_absence
from tasks.lineage.document import (
    Containing,
    TunedOn,
    find_documents,
    registered_with,
    tuned_on,
    versions_with,
)
from tasks.lineage.origin import of_documents, read_part
from tasks.lineage.purge import (
    Traces,
    remove_partitions,
    remove_replies,
    remove_versions,
)
from tasks.lineage.registered import RegisteredVersion
from tasks.lineage.replies import replies_about
from tasks.lineage.wording import Wording
from tasks.shared_lists import note_forgotten
from tasks.splitting.assignment import text_names
from tasks.splitting.ledger import forget_texts
from tasks.text.rows import strings
from tasks.versions.find import Version, ancestors, find_version, list_versions


@dataclass(frozen=True)
class Subject:
    """A document that is to be forgotten.

    Attributes:
        versions: The dataset versions that hold it.
        models: The models on this machine that were trained on one of these.
        registered: The registered versions that were.
        traces: What it is known by.
        chunks: The texts of its chunks.
    """

    versions: list[Containing]
    models: list[TunedOn]
    registered: list[RegisteredVersion]
    traces: Traces
    chunks: list[str]


class Removed(Result):
    """How much was deleted."""

    partitions: int
    replies: int
    datasets: int = 0
    certificates: int = 0
    shared: int = 0  # of these two, so many in the store as well


class Forgetting(Result):
    """What forgetting a document came to."""

    documents: list[ForgottenDocument]
    versions: list[Containing]
    models: list[TunedOn]
    registered: list[RegisteredVersion]
    removed: Removed
    dataset: str
    absence: Absence


def find_subject(home: Path, name: str, registered: Sequence[RegisteredVersion]) -> Subject:
    """Return what all datasets of a home know of a document.

    Args:
        home: Temper's home.
        name: Path of a document, or its document_id; the path of an archive means all in it.
        registered: The registered versions among which those with the document are looked for.

    Raises:
        UnknownName: No dataset has it.
    """
    versions = list_versions(home)
    ingested = [v for v in versions if v.manifest.stage == "ingestion"]
    found = find_documents(ingested, name)
    if not found:
        paths = {path for v in ingested for path in strings(read_part(v), "path")}
        raise UnknownName("document", name, sorted(paths))
    forgotten = Forgotten(documents=tuple(_entries(name, found)))
    holding = versions_with(home, forgotten.ids)
    return Subject(
        versions=holding,
        models=tuned_on(home, holding),
        registered=registered_with(registered, holding),
        traces=_traces(home, versions, ingested, forgotten),
        chunks=_texts(versions, "chunking", forgotten.ids),
    )


def exclude(home: Path, profile: str, subject: Subject) -> None:
    """Note that a profile must not read a document any more, in the store too if there is one.

    Raises:
        StorageError: It cannot be noted.
    """
    note_forgotten(home, profile, subject.traces.forgotten.documents)


def remove_cached(home: Path, subject: Subject) -> Removed:
    """Delete what caches hold of a document.

    Raises:
        StorageError: Something cannot be deleted.
    """
    return Removed(
        partitions=remove_partitions(home, subject.traces.forgotten),
        replies=remove_replies(home, subject.traces),
    )


def conclude(
    home: Path, subject: Subject, removed: Removed, dataset: str, purge: bool
) -> Forgetting:
    """Prove that a dataset is free of a document; delete the versions that are not.

    Args:
        home: Temper's home.
        subject: The document.
        removed: What was deleted before.
        dataset: Fingerprint of the dataset that was built without it.
        purge: Whether to delete the dataset versions that hold it, in the store too, and what
            splits know of it.

    Raises:
        StorageError: A version cannot be deleted.
    """
    version = find_version(home, dataset)
    lineage = ancestors(home, version) if version else []
    if purge:
        forget_texts(home, subject.traces.texts)
        shared, datasets, certificates = remove_versions(home, subject.versions, subject.traces)
        deleted = {"shared": shared, "datasets": datasets, "certificates": certificates}
        removed = removed.model_copy(update=deleted)
    return Forgetting(
        documents=list(subject.traces.forgotten.documents),
        versions=subject.versions,
        models=subject.models,
        registered=subject.registered,
        removed=removed,
        dataset=dataset,
        absence=prove_absence(home, lineage, subject.traces, subject.chunks),
    )


def _entries(name: str, found: Sequence[dict[str, Any]]) -> list[ForgottenDocument]:
    """Return an entry for each version of the bytes, and for an archive as such."""
    since = datetime.now(UTC).isoformat(timespec="seconds")
    named = {(row["document_id"], row["path"], row["sha256"]) for row in found}
    if not any(name in row for row in named):
        named.add((document_id(name), name, None))
    return [
        ForgottenDocument(document_id=identifier, path=path, sha256=sha256, since=since)
        for identifier, path, sha256 in sorted(named, key=str)
    ]


def _traces(
    home: Path, versions: Sequence[Version], ingested: Sequence[Version], forgotten: Forgotten
) -> Traces:
    tables = [table for v in versions for table in _examples(v, forgotten.ids)]
    rows = [row for t in tables for row in t.select(["example_id", "prompt_sha256"]).to_pylist()]
    wording = Wording(
        _texts(versions, "ingestion", forgotten.ids), _others(ingested[-1], forgotten)
    )
    return Traces(
        forgotten=forgotten,
        examples=frozenset(row["example_id"] for row in rows),
        texts=frozenset(name for table in tables for name in text_names(table)),
        prompts=frozenset(row["prompt_sha256"] for row in rows if row["prompt_sha256"]),
        replies=replies_about(home, versions, forgotten.ids),
        wording=wording,
    )


def _examples(version: Version, ids: frozenset[str]) -> list[pa.Table]:
    """Return the rows that a version has of documents, kept and dropped; none of other stages."""
    tables = [of_documents(read_part(version, dropped), ids) for dropped in (False, True)]
    return [table for table in tables if {"example_id", "prompt_sha256"} <= set(table.column_names)]


def _texts(versions: Sequence[Version], stage: str, ids: frozenset[str]) -> list[str]:
    """Return the different texts that all versions of a stage have of documents."""
    found: dict[str, None] = {}
    for version in versions:
        if version.manifest.stage == stage:
            table: pa.Table = of_documents(read_part(version), ids)
            found |= dict.fromkeys(strings(table, "text"))
    return list(found)


def _others(version: Version, forgotten: Forgotten) -> list[str]:
    """Return the texts of all documents that stay; copies of a forgotten one do not."""
    table = read_part(version)
    stays = [not gone for gone in forgotten.rows(table).to_pylist()]
    return strings(table.filter(pa.array(stays, pa.bool_())), "text")
