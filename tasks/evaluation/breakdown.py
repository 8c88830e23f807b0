"""By what the test rows are broken down, beside the kind of question."""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

import pyarrow as pa

# Grouping to the group of each row, by its `example_id`.
Groupings = Mapping[str, Mapping[str, str]]

# More groups make a table that nobody reads, and intervals of a few rows each.
MOST_GROUPS = 12


def groupings_of_test(examples: pa.Table, documents: pa.Table | None = None) -> Groupings:
    """Return language, source and knowledge class of each test row, where known.

    A grouping that puts all rows into one group says nothing and is left out. Of many groups
    the largest are kept.

    Args:
        examples: The rows that were evaluated, in the EXAMPLE schema.
        documents: Their documents, in the DOCUMENT schema: the source is the top folder in which
            a document lies. Without them it is the document, or whatever an import calls one.
    """
    folders = _folders(documents) if documents is not None else {}
    found: dict[str, dict[str, str]] = {"source": {}, "language": {}, "knowledge": {}}
    columns = ["example_id", "split", "document_id", "language", "knowledge"]
    for row in examples.select(columns).to_pylist():
        if row["split"] != "test":
            continue
        source = folders.get(row["document_id"], row["document_id"])
        for name, value in (*_known(row), ("source", source)):
            found[name][row["example_id"]] = value
    largest = {name: _largest(groups) for name, groups in found.items()}
    return {name: groups for name, groups in largest.items() if len(set(groups.values())) > 1}


def _known(row: Mapping[str, str | None]) -> Iterator[tuple[str, str]]:
    for name in ("language", "knowledge"):
        value = row[name]
        if value is not None:
            yield name, value


def _folders(documents: pa.Table) -> dict[str, str]:
    paths = documents.select(["document_id", "path"]).to_pylist()
    return {row["document_id"]: _folder(PurePosixPath(row["path"])) for row in paths}


def _folder(path: PurePosixPath) -> str:
    return path.parts[0] if len(path.parts) > 1 else "(top folder)"


def _largest(groups: Mapping[str, str]) -> dict[str, str]:
    counts = Counter(groups.values())
    kept = {name for name, _ in sorted(counts.items(), key=lambda c: (-c[1], c[0]))[:MOST_GROUPS]}
    return {row: group for row, group in groups.items() if group in kept}
