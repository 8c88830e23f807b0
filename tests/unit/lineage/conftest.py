"""A home folder with a dataset of two documents in all its stages."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from data_contracts.base import digest
from data_contracts.dataset import (
    Manifest,
    StageResult,
    commit,
    content_sha256,
    count_reasons,
    stage_files,
)
from data_contracts.results import BaseModelRef
from data_contracts.schemas import CHUNK, DOCUMENT, EXAMPLE, blank_row, dropped_schema
from tasks.lineage.registered import RegisteredVersion
from tasks.modeling.tuned import MANIFEST, ModelManifest, model_folder
from tasks.versions.find import find_version

Rows = list[dict[str, Any]]
Store = Callable[..., str]

TEXTS = {
    "ports.md": "The harbour closes at nine. Pilots wait at berth four.",
    "ships.md": "A tug may tow two barges at once.",
}
IDS = {path: f"doc-{path}" for path in TEXTS}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Store a dataset and return its fingerprint: `store("chunking", kept, dropped, parents)`."""

    def run(
        stage: str,
        kept: Rows,
        dropped: Rows | None = None,
        parents: tuple[str, ...] = (),
        schema: pa.Schema = EXAMPLE,
    ) -> str:
        gone = pa.Table.from_pylist(
            [blank_row(dropped_schema(schema)) | row for row in dropped or []],
            dropped_schema(schema),
        )
        rows = pa.Table.from_pylist([blank_row(schema) | row for row in kept], schema)
        fingerprint = digest([stage, kept, dropped, parents], length=32)
        result = StageResult(rows, gone, rows_in=rows.num_rows + gone.num_rows)
        manifest = Manifest(
            stage=stage,
            stage_version=1,
            schema_version=2,
            fingerprint=fingerprint,
            parents={f"parent_{n}": parent for n, parent in enumerate(parents)},
            config={},
            rows_in=result.rows_in,
            rows_kept=rows.num_rows,
            rows_dropped=gone.num_rows,
            drop_reasons=count_reasons(gone),
            figures={},
            content_sha256=content_sha256(rows),
            files={},
            validation={},
            versions={},
            seconds=0.0,
            created="2026-01-01T00:00:00+00:00",
        )
        commit(stage_files(tmp_path, stage, fingerprint, result), tmp_path, manifest)
        return fingerprint

    return run


def document(path: str, **values: Any) -> dict[str, Any]:
    text = TEXTS[path]
    return {
        "document_id": IDS[path], "path": path, "sha256": digest(text), "title": path, "text": text,
        "raw_text": text, "media_type": "text/markdown", "parser": "markdown",
    } | values  # fmt: skip


def chunk(name: str, path: str, start: int, end: int, **values: Any) -> dict[str, Any]:
    return {
        "chunk_id": name, "document_id": IDS[path], "chunk_index": 0, "title": path,
        "text": TEXTS[path][start:end], "start": start, "end": end, "page": 3, "n_tokens": 9,
    } | values  # fmt: skip


def example(name: str, path: str, chunk_id: str, **values: Any) -> dict[str, Any]:
    return {
        "example_id": name, "kind": "fact", "question": f"What of {name}?", "answer": "Nine.",
        "document_id": IDS[path], "chunk_id": chunk_id, "generator": "fact", "grounding": 1.0,
    } | values  # fmt: skip


@pytest.fixture
def dataset(store: Store) -> str:
    """Store all stages and return the last one's fingerprint.

    Row `hop` is of ships.md and rests on a passage of ports.md as well; `again` says `first`
    again; `repeat` is dropped as its duplicate.
    """
    documents = store("ingestion", [document(path) for path in TEXTS], schema=DOCUMENT)
    chunks = [
        chunk("c1", "ports.md", 0, 27),
        chunk("c2", "ports.md", 28, 54),
        chunk("c3", "ships.md", 0, 33),
    ]
    short = chunk("c4", "ports.md", 0, 3, reason="too_short", detail=".")
    cut = store("chunking", chunks, [short], (documents,), CHUNK)
    other = [{"document_id": IDS["ports.md"], "chunk_id": "c2"}]
    first = example("first", "ports.md", "c1", evidence_start=12, evidence_end=26)
    rows = [
        first,
        example("repeat", "ports.md", "c2"),
        example("hop", "ships.md", "c3", other_chunks=other),
        example("tug", "ships.md", "c3"),
    ]
    made = store("generation", rows, parents=(cut, documents))
    why = {"reason": "near_duplicate", "detail": ".", "duplicate_of": "first", "similarity": 0.9}
    curated = store("curation", [rows[0], *rows[2:]], [{**rows[1], **why}], parents=(made,))
    again = example("again", "ports.md", "c1", parent_id="first", split="train", group_id="g")
    split = [row | {"split": "train", "group_id": "g"} for row in (rows[0], *rows[2:])]
    return store("augmentation", [*split, again], parents=(curated,))


def content_of(home: Path, fingerprint: str) -> str:
    """Return the content hash of a dataset."""
    found = find_version(home, fingerprint)
    assert found is not None
    return found.manifest.content_sha256


def train_on(home: Path, fingerprint: str, name: str) -> None:
    """Keep the manifest of a model; it names its rows by their content, as training does."""
    base = BaseModelRef(name="tiny", folder=home, fingerprint="f")
    manifest = ModelManifest(
        fingerprint=name, parents={"examples": content_of(home, fingerprint)}, base=base,
        method={"method": "lora"}, config={}, files={}, created="2026-01-01",
    )  # fmt: skip
    folder = model_folder(home, name)
    folder.mkdir(parents=True)
    (folder / MANIFEST).write_text(manifest.model_dump_json())


def version(number: str, content: str, **values: Any) -> RegisteredVersion:
    """Return a registered version of the model `tiny`."""
    given = {"name": "tiny", "version": number, "aliases": [], "verdict": "PASS"}
    trained = {"model": "m" * 32, "dataset": "", "content": content}
    return RegisteredVersion.model_validate(given | trained | values)
