"""From a model, registered or not, to the rows it was trained on, their chunks and documents."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from data_contracts.base import Result
from data_contracts.errors import ConfigError, DatasetError
from tasks.lineage.models import tuned_models
from tasks.lineage.origin import read_part
from tasks.lineage.registered import RegisteredVersion
from tasks.versions.find import Version, ancestors, find_version, with_content

Row = dict[str, Any]

# What a fingerprint may be shortened to, as tables show it; shorter ones are words as well.
_FINGERPRINT = re.compile(r"[0-9a-f]{8,32}")

_ROW_COLUMNS = (
    "example_id", "kind", "generator", "question", "document_id", "chunk_id", "other_chunks",
    "parent_id",
)  # fmt: skip
_CHUNK_COLUMNS = ("chunk_id", "document_id", "page", "start", "end", "heading_path")
_DOCUMENT_COLUMNS = ("document_id", "path", "sha256", "title")


@dataclass(frozen=True)
class Trained:
    """A model and what it was trained on.

    Attributes:
        model: Its fingerprint.
        content: Content hash of the dataset.
        dataset: Fingerprint of the dataset; empty where only the content is known.
    """

    model: str
    content: str
    dataset: str = ""


class ModelTrace(Result):
    """What a model was trained on.

    Attributes:
        model: Its fingerprint.
        registered: The versions under which it is registered.
        dataset: Stage and fingerprint of the dataset.
        folder: Where the dataset lies.
        splits: How many rows the dataset has for what.
        rows: Its training rows, each with the `path` of its document.
        chunks: The chunks that these rest on.
        documents: The documents these lie in, each with how many `rows` and `chunks` it gave.
    """

    model: str
    registered: list[RegisteredVersion]
    dataset: str
    folder: Path
    splits: dict[str, int]
    rows: list[Row]
    chunks: list[Row]
    documents: list[Row]


def find_trained(
    home: Path, registered: Sequence[RegisteredVersion], name: str, model_name: str
) -> Trained | None:
    """Return the model of that name; None if there is none.

    Args:
        home: Temper's home.
        registered: The registered versions.
        name: `NAME/VERSION`, `NAME@ALIAS`, an alias, or the start of a model's fingerprint.
        model_name: The registered model whose alias is meant where none is named.

    Raises:
        ConfigError: More than one model begins like that.
    """
    asked = name.removeprefix("models:/")
    for version in registered:
        if asked in _names(version, model_name):
            return Trained(version.model, version.content, version.dataset)
    if not _FINGERPRINT.fullmatch(name):
        return None
    known = {v.model: Trained(v.model, v.content, v.dataset) for v in registered}
    here = {m.fingerprint: Trained(m.fingerprint, m.examples) for m in tuned_models(home)}
    found = [model for key, model in (here | known).items() if key.startswith(name)]
    if len(found) > 1:
        names = ", ".join(model.model for model in found)
        raise ConfigError(f"{name!r} is the start of several models: {names}. Write more of it.")
    return found[0] if found else None


def trace_model(
    home: Path, registered: Sequence[RegisteredVersion], trained: Trained
) -> ModelTrace:
    """Return the rows, chunks and documents that a model was trained on.

    Raises:
        DatasetError: Its dataset does not lie in this home, or cannot be read.
    """
    version = _dataset(home, trained)
    table = read_part(version)
    rows = _training_rows(table)
    lineage = ancestors(home, version)
    chunks = _chunks(lineage, rows)
    documents = _documents(lineage, rows, chunks)
    paths = {document["document_id"]: document.get("path") for document in documents}
    return ModelTrace(
        model=trained.model,
        registered=[v for v in registered if v.model == trained.model],
        dataset=f"{version.manifest.stage}/{version.manifest.fingerprint}",
        folder=version.folder,
        splits=dict(Counter(table.column("split").to_pylist())),
        rows=[row | {"path": paths.get(row["document_id"])} for row in rows],
        chunks=chunks,
        documents=documents,
    )


def _names(version: RegisteredVersion, model_name: str) -> Iterator[str]:
    yield f"{version.name}/{version.version}"
    for alias in version.aliases:
        yield f"{version.name}@{alias}"
        if version.name == model_name:
            yield alias


def _dataset(home: Path, trained: Trained) -> Version:
    """Return the very dataset, or one with the same rows where it is gone."""
    found = find_version(home, trained.dataset) if trained.dataset else None
    if found is None:
        found = with_content(home, trained.content)
    if found is None:
        raise DatasetError(
            f"Model {trained.model} was trained on dataset {trained.dataset or '?'} (content "
            f"{trained.content}), which does not lie in {home}. Trace it where it was trained, or "
            "build it again from the file profile.yaml that MLflow keeps with the version."
        )
    return found


def _training_rows(table: pa.Table) -> list[Row]:
    return _selected(
        table.filter(pc.equal(table.column("split"), pa.scalar("train"))), _ROW_COLUMNS
    )


def _chunks(lineage: Sequence[Version], rows: Sequence[Row]) -> list[Row]:
    wanted = {chunk for row in rows for _, chunk in _rests_on(row)}
    return _found(lineage, "chunking", "chunk_id", wanted, _CHUNK_COLUMNS)


def _documents(lineage: Sequence[Version], rows: Sequence[Row], chunks: Sequence[Row]) -> list[Row]:
    """Return the documents that ingestion knows and those that only imported rows name."""
    of_rows = Counter(name for row in rows for name in {name for name, _ in _rests_on(row)})
    of_chunks = Counter(chunk["document_id"] for chunk in chunks)
    known = _found(lineage, "ingestion", "document_id", set(of_rows), _DOCUMENT_COLUMNS)
    others = set(of_rows) - {document["document_id"] for document in known}
    known += [{"document_id": name, "path": None} for name in sorted(others)]
    for document in known:
        name = document["document_id"]
        document |= {"rows": of_rows[name], "chunks": of_chunks[name]}
    return known


def _rests_on(row: Row) -> Iterator[tuple[str, str]]:
    """Yield document and chunk of each passage that a row rests on."""
    for passage in (row, *(row["other_chunks"] or [])):
        if passage["document_id"]:
            yield passage["document_id"], passage["chunk_id"]


def _found(
    lineage: Sequence[Version], stage: str, column: str, wanted: set[str], columns: Sequence[str]
) -> list[Row]:
    found: dict[str, Row] = {}
    for version in lineage:
        if version.manifest.stage == stage:
            table = read_part(version)
            named = pc.is_in(table.column(column), pa.array(sorted(wanted), pa.string()))
            found |= {row[column]: row for row in _selected(table.filter(named), columns)}
    return list(found.values())


def _selected(table: pa.Table, columns: Sequence[str]) -> list[Row]:
    rows: list[Row] = table.select(columns).to_pylist()
    return rows
