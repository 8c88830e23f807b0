"""Near-duplicates on disk: time, memory and planted copies found, as the corpus grows.

python -m benchmarks.near_duplicates_scale [--sizes 10000 100000 1000000]
    [--memory-mb 1024] [--workers 1] [--folder FOLDER] [--page PAGE.md]

Each size runs in a fresh process on documents of 60 words. Memory is what belongs to a
process alone (RssAnon): mapped files belong to the system. A small search goes first, so
that imports and the filling of caches are not counted.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.ingestion_throughput import Memory
from benchmarks.planted_documents import write_families

PAGE = Path(__file__).parent.parent / "docs" / "results" / "near-duplicates-scale.md"
SEED, WORDS = 11, 60
# Time counts as linear if documents per second differ less than this from size to size.
LINEAR = 0.15


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--memory-mb", type=int, default=1024)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where the files lie while it runs")
    parser.add_argument("--page", type=Path, default=PAGE)
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(measure(arguments.measure, arguments.memory_mb, arguments.workers)))
        return
    rows = [run(size, arguments) for size in arguments.sizes]
    text = render(rows, arguments.memory_mb, arguments.workers)
    arguments.page.write_text(text)
    print(text)


def run(size: int, arguments: argparse.Namespace) -> dict[str, Any]:
    """Make the documents and search them in a process of its own."""
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        path = Path(name) / "documents.parquet"
        write_families(path, size, WORDS, SEED)
        command = [sys.executable, "-m", "benchmarks.near_duplicates_scale"]
        command += ["--measure", str(path), "--memory-mb", str(arguments.memory_mb)]
        command += ["--workers", str(arguments.workers)]
        output = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
        row: dict[str, Any] = json.loads(output.splitlines()[-1])
        print(json.dumps(row))
        return row


def measure(path: Path, memory_mb: int, workers: int) -> dict[str, Any]:
    """Search the documents; return the figures."""
    import pyarrow.parquet as pq

    from tasks.near_duplicates.config import NearDuplicatesConfig
    from tasks.near_duplicates.find import find_near_duplicates
    from tasks.near_duplicates.reading import document_files

    config = NearDuplicatesConfig(memory_bytes=memory_mb * 2**20, workers=workers)
    work = path.parent / "work"
    small = path.parent / "small.parquet"
    write_families(small, 1_000, WORDS, SEED + 1)
    find_near_duplicates(document_files([small]), path.parent / "small", config)
    with Memory(every=0.02) as memory:
        start, used = time.perf_counter(), os.times()
        found = find_near_duplicates(document_files([path]), work, config)
        wall, after = time.perf_counter() - start, os.times()
    names = pq.read_table(path, columns=["id"]).column("id").to_pylist()
    dropped = pq.read_table(found.path).to_pylist()
    own = sum(row["id"][:9] == row["duplicate_of"][:9] for row in dropped)
    return {
        "documents": found.documents,
        "seconds": wall,
        "processor_seconds": sum(after[:4]) - sum(used[:4]),
        "memory": memory.main,
        "worker": memory.worker,
        "disk": sum(file.stat().st_size for file in work.rglob("*") if file.is_file()),
        "planted": sum(not name.endswith("-0") for name in names),
        "dropped": len(dropped),
        "right": own,
        "clusters": found.clusters,
        "planted_clusters": sum(name.endswith("-1") for name in names),
    }


def _line(row: dict[str, Any]) -> str:
    return (
        f"| {row['documents']:,} | {row['seconds']:.1f} | "
        f"{row['documents'] / row['seconds']:,.0f} | {row['processor_seconds']:.1f} | "
        f"{row['memory'] / 1e6:,.0f} | {row['worker'] / 1e6:,.0f} | {row['disk'] / 1e6:,.0f} | "
        f"{row['clusters']:,} of {row['planted_clusters']:,} | "
        f"{row['right']:,} of {row['planted']:,} | {row['dropped'] - row['right']:,} |"
    )


def _growth(rows: Sequence[dict[str, Any]]) -> str:
    speeds = [row["documents"] / row["processor_seconds"] for row in rows]
    change = max(speeds) / min(speeds) - 1
    return (
        "From the smallest to the largest size, processor time per document differs by "
        f"{change:.0%}: **{'linear' if change < LINEAR else 'NOT linear'}** (within {LINEAR:.0%})."
    )


def render(rows: Sequence[dict[str, Any]], memory_mb: int, workers: int) -> str:
    """Return the page."""
    table = [
        "| documents | wall s | documents/s | processor s | peak memory, MB | of a worker, MB | "
        "disk, MB | clusters found | copies dropped | dropped wrongly |",
        "|" + "---:|" * 10,
        *map(_line, rows),
    ]
    versions = ", ".join(f"{name} {version(name)}" for name in ("numpy", "pyarrow", "datasketch"))
    return "\n".join(
        [
            "# Near-duplicates on disk as the corpus grows",
            "",
            "`.venv/bin/python -m benchmarks.near_duplicates_scale "
            f"--sizes {' '.join(str(row['documents']) for row in rows)} "
            f"--memory-mb {memory_mb} --workers {workers}`, {datetime.now(UTC):%Y-%m-%d}, "
            f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
            f"{versions}.",
            "",
            *table,
            "",
            _growth(rows),
            "",
            f"Documents of {WORDS} random words; a twentieth have one to three copies, exact or "
            "with one word replaced (Jaccard similarity of 5-word shingles at least 0.836; "
            "threshold 0.8). Peak memory is what belongs to the process alone, Python and its "
            "libraries included; mapped files are not counted. Disk is what the search leaves.",
            "",
        ]
    )


if __name__ == "__main__":
    main()
