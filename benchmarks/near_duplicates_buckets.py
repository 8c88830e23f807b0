"""What large buckets cost in recall: documents of one template, against brute force.

python -m benchmarks.near_duplicates_buckets [--documents 2000] [--page PAGE.md]

In a bucket of more than `neighbours` + 1 documents not all pairs are compared. The worst
case is a corpus in which all documents come from one and few pairs reach the threshold.
"""

import argparse
import platform
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from random import Random

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from benchmarks.planted_documents import edited, vocabulary
from tasks.near_duplicates.config import NearDuplicatesConfig
from tasks.near_duplicates.find import find_near_duplicates
from tasks.near_duplicates.reading import document_files
from tasks.text.overlap import incidence
from tasks.text.shingles import word_ngrams

PAGE = Path(__file__).parent.parent / "docs" / "results" / "near-duplicates-buckets.md"
SEED, WORDS, LENGTH, THRESHOLD = 3, 60, 5, 0.8
EDITS = ((1, 2), (1, 2, 3), (2, 3), (3,))
NEIGHBOURS = (1, 4, 16, 64)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=2_000)
    parser.add_argument("--page", type=Path, default=PAGE)
    arguments = parser.parse_args()
    random = Random(SEED)
    known = vocabulary(random)
    base = random.choices(known, k=WORDS)
    rows = []
    for edits in EDITS:
        copies = (
            edited(base, random.choice(edits), random, known) for _ in range(arguments.documents)
        )
        rows.append(_line(edits, [" ".join(copy) for copy in copies]))
        print(rows[-1])
    text = render(rows, arguments.documents)
    arguments.page.write_text(text)


def _line(edits: Sequence[int], texts: list[str]) -> str:
    pairs, dropped = by_brute_force(texts)
    found = " | ".join(f"{by_search(texts, neighbours):,}" for neighbours in NEIGHBOURS)
    return f"| {', '.join(map(str, edits))} | {pairs:,} | {dropped:,} | {found} |"


def by_brute_force(texts: list[str]) -> tuple[int, int]:
    """Return how many pairs reach the threshold, and how many documents that drops."""
    sets = [word_ngrams(text, LENGTH) for text in texts]
    matrix = incidence(sets, np.unique(np.concatenate(sets)))
    shared = (matrix @ matrix.T).tocoo()
    sizes = np.array([row.size for row in sets])
    jaccard = shared.data / (sizes[shared.row] + sizes[shared.col] - shared.data)
    keep = (jaccard >= THRESHOLD) & (shared.row < shared.col)
    ones, ends = np.ones(int(keep.sum())), (shared.row[keep], shared.col[keep])
    graph = coo_array((ones, ends), shape=(len(texts), len(texts)))
    return ones.size, len(texts) - connected_components(graph, directed=False)[0]


def by_search(texts: list[str], neighbours: int) -> int:
    """Return how many documents the search drops."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "documents.parquet"
        names = [f"{number:06}" for number in range(len(texts))]
        pq.write_table(pa.table({"id": names, "text": texts}), path)
        config = NearDuplicatesConfig(threshold=THRESHOLD, neighbours=neighbours)
        found = find_near_duplicates(document_files([path]), Path(name) / "work", config)
        return found.exact + found.near


def render(rows: Sequence[str], documents: int) -> str:
    """Return the page."""
    versions = ", ".join(f"{name} {version(name)}" for name in ("numpy", "pyarrow", "datasketch"))
    heads = " | ".join(f"`neighbours` {number}" for number in NEIGHBOURS)
    return "\n".join(
        [
            "# Near-duplicates in large buckets",
            "",
            f"`.venv/bin/python -m benchmarks.near_duplicates_buckets --documents {documents}`, "
            f"{datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, Python "
            f"{platform.python_version()}, {versions}.",
            "",
            f"| words replaced | pairs at {THRESHOLD} | dropped by brute force | {heads} |",
            "|---|" + "---:|" * (2 + len(NEIGHBOURS)),
            *rows,
            "",
            f"{documents:,} documents of {WORDS} words, all one document with some words "
            "replaced: the worst case, since nearly all share buckets and few pairs are similar. "
            "The last columns say how many documents the search drops. In a bucket of more than "
            "`neighbours` + 1 documents each is compared with the first and with `neighbours` "
            "after it; 16 is the default. No document is dropped without a true link.",
            "",
        ]
    )


if __name__ == "__main__":
    main()
