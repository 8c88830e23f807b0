"""What the split knows of documents: their source, by which it is stratified, and their date."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from data_contracts.dataset import KEPT, DatasetRef
from data_contracts.errors import DatasetError


@dataclass(frozen=True)
class Origin:
    """Where a document comes from.

    Attributes:
        source: Top folder and media type.
        date: YYYY-MM-DD as the document states it, or None.
    """

    source: str
    date: str | None = None


Origins = Mapping[str, Origin]


def document_origins(documents: pa.Table) -> dict[str, Origin]:
    """Return the origin of each document by its identifier."""
    rows = documents.select(["document_id", "path", "media_type", "date"]).to_pylist()
    return {
        row["document_id"]: Origin(f"{_top(row['path'])} {row['media_type']}", row["date"])
        for row in rows
    }


def read_origins(documents: DatasetRef) -> dict[str, Origin]:
    """Read the origins from a dataset of documents, without their texts.

    Raises:
        DatasetError: The dataset cannot be read.
    """
    path = Path(documents.folder) / KEPT
    try:
        table = pq.read_table(path, columns=["document_id", "path", "media_type", "date"])
    except (OSError, pa.ArrowInvalid) as error:
        raise DatasetError(
            f"Cannot read {path}: {error}. Delete its folder and run the pipeline again."
        ) from error
    return document_origins(table)


def _top(path: str) -> str:
    return path.split("/", 1)[0] if "/" in path else "."
