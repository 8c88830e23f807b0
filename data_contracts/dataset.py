"""Datasets: folders of Parquet with a manifest that is written last.

    <home>/datasets/<stage>/<fingerprint>/
        kept-00000.parquet      rows the next stage reads
        dropped-00000.parquet   rows taken out, each with a reason
        <artifact files>        what else the stage found out, e.g. a leakage certificate
        manifest.json           written last: where it exists, the dataset is complete

The fingerprint says what the dataset was made from (stage, version, configuration,
parents); the content hash says what came out.
"""

import hashlib
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from data_contracts.base import Result, digest, file_sha256
from data_contracts.errors import DatasetError, StorageError
from data_contracts.schemas import SCHEMA_VERSION

MANIFEST = "manifest.json"
KEPT = "kept-00000.parquet"
DROPPED = "dropped-00000.parquet"

# Tables are written and hashed so many rows at a time, so that one larger than memory can be.
BATCH_ROWS = 1_000
# Enough to tell the columns' types.
HEAD_ROWS = 20


class DatasetRef(Result):
    """A small, JSON-able pointer to a complete dataset: what tasks exchange."""

    stage: str
    fingerprint: str
    folder: str
    content_sha256: str
    rows: int


class Manifest(Result):
    """What is known about a dataset."""

    stage: str
    stage_version: int
    schema_version: int
    fingerprint: str
    parents: dict[str, str]
    config: dict[str, Any]
    rows_in: int
    rows_kept: int
    rows_dropped: int
    drop_reasons: dict[str, int]
    figures: dict[str, float]
    unanswered: int = 0
    content_sha256: str
    files: dict[str, str]
    validation: dict[str, Any]
    versions: dict[str, str]
    seconds: float
    created: str


@dataclass(frozen=True)
class StageResult:
    """What a stage's pure function returns.

    Both tables may be mapped from files: what `run_stage` does with them holds only a part
    of them in memory.

    Attributes:
        kept: Rows for the next stage.
        dropped: Rows taken out, in `dropped_schema` of the stage's schema.
        rows_in: Candidates the stage decided on; must equal kept + dropped.
        figures: Further numbers for MLflow and the report.
        artifacts: Further files of the dataset, name to text.
        unanswered: Requests to a language model that got no reply, though a later run may get
            one: while there are any, the dataset is not taken for finished.
    """

    kept: pa.Table
    dropped: pa.Table
    rows_in: int
    figures: Mapping[str, float] = field(default_factory=dict)
    artifacts: Mapping[str, str] = field(default_factory=dict)
    unanswered: int = 0


def dataset_fingerprint(
    stage: str, version: int, config: Mapping[str, Any], parents: Mapping[str, str]
) -> str:
    """Return the name of the dataset that this stage makes of these parents.

    Where a language model is asked is no part of it.

    Args:
        stage: Name of the stage.
        version: The stage's version: raised when its code gives other results.
        config: The stage's configuration as JSON-able values.
        parents: Role of each input to its fingerprint.
    """
    value = {
        "stage": stage,
        "version": version,
        "schema": SCHEMA_VERSION,
        "config": wherever_asked(config),
        "parents": dict(parents),
    }
    return digest(value, length=32)


def wherever_asked(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a stage's configuration as it is wherever its language model is served.

    Replies are remembered by model and prompt, not by place: with another address, or a further
    one, the same replies are used and the same dataset comes out.
    """
    if not isinstance(config.get("llm"), Mapping):
        return dict(config)
    # The default stays, so that datasets made without an endpoint keep their names.
    llm = {**config["llm"], "base_url": "embedded"}
    llm.pop("further_urls", None)
    return {**config, "llm": llm}


def content_sha256(table: pa.Table) -> str:
    """Return a hash of a table's values that does not depend on how it is chunked or encoded.

    The table may be mapped from a file: a few rows at a time are in memory.
    """
    sha256 = hashlib.sha256(table.schema.remove_metadata().to_string().encode())
    for start in range(0, table.num_rows, BATCH_ROWS):
        part = table.slice(start, BATCH_ROWS)
        # take() rewrites every buffer, so slices and equal tables with other offsets hash alike
        rewritten = part.take(pa.array(range(part.num_rows), pa.int64())).combine_chunks()
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, rewritten.schema.remove_metadata()) as writer:
            writer.write_table(rewritten.replace_schema_metadata(None))
        sha256.update(sink.getvalue())
    return sha256.hexdigest()


def count_reasons(dropped: pa.Table) -> dict[str, int]:
    """Return how many rows were dropped for each reason, most frequent first."""
    counts = Counter(map(str, dropped.column("reason").to_pylist()))
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def dataset_folder(home: Path, stage: str, fingerprint: str) -> Path:
    """Return the folder in which a dataset lies or will lie."""
    return home / "datasets" / stage / fingerprint


def find_dataset(home: Path, stage: str, fingerprint: str) -> DatasetRef | None:
    """Return the complete dataset of that fingerprint, or None.

    A folder whose files do not match its manifest counts as absent: it is made again.
    """
    folder = dataset_folder(home, stage, fingerprint)
    if not (folder / MANIFEST).is_file():
        return None
    manifest = read_manifest(folder)
    for name, sha256 in manifest.files.items():
        path = folder / name
        if not path.is_file() or file_sha256(path) != sha256:
            return None
    return reference(folder, manifest)


def reference(folder: Path, manifest: Manifest) -> DatasetRef:
    """Return the pointer to the dataset that `manifest` describes."""
    return DatasetRef(
        stage=manifest.stage,
        fingerprint=manifest.fingerprint,
        folder=str(folder),
        content_sha256=manifest.content_sha256,
        rows=manifest.rows_kept,
    )


def read_manifest(folder: Path) -> Manifest:
    """Read a dataset's manifest.

    Raises:
        DatasetError: There is none, so the dataset is missing or was never finished.
    """
    path = folder / MANIFEST
    try:
        return Manifest.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DatasetError(
            f"No complete dataset in {folder}: {MANIFEST} cannot be read ({error.strerror}). "
            "Run `temper dataset build` to make it."
        ) from error
    except ValueError as error:
        raise DatasetError(
            f"{path} is not a manifest of this version of Temper: {error}. "
            "Delete the folder and run `temper dataset build` again."
        ) from error


def read_kept(ref: DatasetRef, columns: Sequence[str] | None = None) -> pa.Table:
    """Read the rows a dataset passes on.

    Args:
        ref: The dataset.
        columns: Those to read; all if not given.
    """
    return _read(Path(ref.folder) / KEPT, columns)


def read_head(ref: DatasetRef) -> pa.Table:
    """Read the first few rows a dataset passes on."""
    path = Path(ref.folder) / KEPT
    try:
        with pq.ParquetFile(path) as file:
            first = next(file.iter_batches(batch_size=HEAD_ROWS), None)
            schema = file.schema_arrow
    except (OSError, pa.ArrowInvalid) as error:
        raise _unreadable(path, error) from error
    return pa.Table.from_batches([first] if first else [], schema=schema)


def read_dropped(ref: DatasetRef) -> pa.Table:
    """Read the rows a dataset's stage took out, with their reasons."""
    return _read(Path(ref.folder) / DROPPED)


def _read(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    try:
        return pq.read_table(path, columns=None if columns is None else list(columns))
    except (OSError, pa.ArrowInvalid) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> DatasetError:
    return DatasetError(
        f"Cannot read {path}: {error}. Delete its folder and run the pipeline again."
    )


def stage_files(home: Path, stage: str, fingerprint: str, result: StageResult) -> Path:
    """Write a result's tables and artifacts into a new temporary folder and return it."""
    parent = dataset_folder(home, stage, fingerprint).parent
    staged: Path | None = None
    try:
        parent.mkdir(parents=True, exist_ok=True)
        staged = Path(tempfile.mkdtemp(prefix=f".{fingerprint[:8]}-", dir=parent))
        for name, table in ((KEPT, result.kept), (DROPPED, result.dropped)):
            # keeps the names inside list columns, and so the content hash, as they are
            pq.write_table(
                table,
                staged / name,
                compression="zstd",
                # zstd finds what repeats: with dictionaries, files are larger and slower to read
                use_dictionary=False,
                use_compliant_nested_type=False,
                row_group_size=BATCH_ROWS,
            )
        for name, text in result.artifacts.items():
            (staged / name).write_text(text, encoding="utf-8")
    except OSError as error:
        if staged is not None:  # on a full disk, what is half-written takes room
            shutil.rmtree(staged, ignore_errors=True)
        raise StorageError(
            f"Cannot write the dataset of stage {stage!r} below {parent}: {error}. "
            "Free disk space or set TEMPER_HOME to another disk, then run again: "
            "finished work is kept."
        ) from error
    return staged


def commit(staged: Path, home: Path, manifest: Manifest) -> DatasetRef:
    """Write the manifest and move the staged folder to its place in one step.

    If another run finished the same dataset first, that one is kept: both are equal by
    construction, since the fingerprint covers everything they were made from.
    """
    folder = dataset_folder(home, manifest.stage, manifest.fingerprint)
    try:
        text = json.dumps(manifest.model_dump(), indent=2, ensure_ascii=False)
        (staged / MANIFEST).write_text(text + "\n", encoding="utf-8")
        if folder.exists():
            existing = find_dataset(home, manifest.stage, manifest.fingerprint)
            if existing is not None:
                shutil.rmtree(staged)
                return existing
            shutil.rmtree(folder)
        staged.replace(folder)
    except OSError as error:
        shutil.rmtree(staged, ignore_errors=True)
        raise StorageError(
            f"Cannot finish the dataset {folder}: {error}. Free disk space, then run again."
        ) from error
    return reference(folder, manifest)
