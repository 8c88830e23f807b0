"""Near-duplicates on disk: time, memory and planted copies found, as the corpus grows.

python -m benchmarks.near_duplicates_scale [--sizes 10000 100000 1000000]
    [--memory-mb 1024] [--workers 1] [--folder FOLDER] [--page PAGE.md]

Each size runs in a fresh process on documents of 60 words. Memory is what belongs to a
process alone (RssAnon): mapped files belong to the system. A small search goes first, so
that imports and the filling of caches are not counted.

A shared machine changes its speed within minutes, by more than what is asked here. So time is
also told in yardsticks: every ten seconds the search is stopped for a moment, and a search of
10,000 documents, always the same, is timed in its place.
"""

import argparse
import json
import os
import platform
import shutil
import signal
import statistics
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
# Time counts as linear if that of a document differs less than this from size to size.
LINEAR = 0.15

# Documents of the yardstick; seconds after which it is applied again, and how often before the
# search and after it; searches of the small sizes until so many documents were searched.
YARDSTICK, EVERY, AROUND = 10_000, 10, 3
REPEATED = 500_000


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
    """Search so many documents, small numbers of them several times; return the middle row."""
    times = max(1, min(9, REPEATED // size) | 1)
    rows = sorted((_search(size, arguments) for _ in range(times)), key=_yardsticks)
    row = rows[times // 2] | {"times": times}
    print(json.dumps(row), flush=True)
    return row


def _search(size: int, arguments: argparse.Namespace) -> dict[str, Any]:
    """Make the documents and search them in a process of its own."""
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        path = Path(name) / "documents.parquet"
        write_families(path, size, WORDS, SEED)
        command = [sys.executable, "-m", "benchmarks.near_duplicates_scale"]
        command += ["--measure", str(path), "--memory-mb", str(arguments.memory_mb)]
        command += ["--workers", str(arguments.workers)]
        yardstick = Yardstick(Path(name))
        told = [yardstick.seconds() for _ in range(AROUND)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            output, stopped = _watched(child, yardstick, told, interrupt=arguments.workers == 1)
        if child.returncode:
            raise SystemExit(child.returncode)
        told += [yardstick.seconds() for _ in range(AROUND)]
    row: dict[str, Any] = json.loads(output.splitlines()[-1])
    return row | {
        "seconds": row["seconds"] - stopped,
        "yardstick": statistics.median(told),
    }


class Yardstick:
    """A search that is always the same, to tell the machine's speed of the moment.

    Args:
        folder: Where its documents lie.
    """

    def __init__(self, folder: Path) -> None:
        self.documents, self.work = folder / "yardstick.parquet", folder / "yardstick"
        write_families(self.documents, YARDSTICK, WORDS, SEED + 2)
        self.seconds()  # imports, caches

    def seconds(self) -> float:
        """Return its processor seconds."""
        from tasks.near_duplicates.config import NearDuplicatesConfig
        from tasks.near_duplicates.find import find_near_duplicates
        from tasks.near_duplicates.reading import document_files

        start = time.process_time()
        find_near_duplicates(document_files([self.documents]), self.work, NearDuplicatesConfig())
        used = time.process_time() - start
        shutil.rmtree(self.work)
        return used


def _watched(
    child: "subprocess.Popen[str]", yardstick: Yardstick, told: list[float], *, interrupt: bool
) -> tuple[str, float]:
    """Wait for the search, stop it now and then to apply the yardstick; return for how long."""
    stopped = 0.0
    while True:
        try:
            return child.communicate(timeout=EVERY if interrupt else None)[0], stopped
        except subprocess.TimeoutExpired:
            start = time.perf_counter()
            child.send_signal(signal.SIGSTOP)
            told.append(yardstick.seconds())
            child.send_signal(signal.SIGCONT)
            stopped += time.perf_counter() - start


def _yardsticks(row: dict[str, Any]) -> float:
    """Return the time for 10,000 documents in yardsticks."""
    share = row["documents"] / YARDSTICK
    return float(row["processor_seconds"] / row["yardstick"] / share)


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
        f"{row['yardstick']:.3f} | "
        f"{_yardsticks(row):.2f} | "
        f"{row['memory'] / 1e6:,.0f} | {row['worker'] / 1e6:,.0f} | {row['disk'] / 1e6:,.0f} | "
        f"{row['clusters']:,} of {row['planted_clusters']:,} | "
        f"{row['right']:,} of {row['planted']:,} | {row['dropped'] - row['right']:,} |"
    )


def _growth(rows: Sequence[dict[str, Any]]) -> str:
    cost = [_yardsticks(row) for row in rows]
    change = max(cost) / min(cost) - 1
    return (
        "The time of a document, in yardsticks, differs from size to size by at most "
        f"{change:.0%}: **{'linear' if change < LINEAR else 'NOT linear'}** (within {LINEAR:.0%})."
    )


def render(rows: Sequence[dict[str, Any]], memory_mb: int, workers: int) -> str:
    """Return the page."""
    table = [
        "| documents | wall s | documents/s | processor s | yardstick s | yardsticks for 10,000 | "
        "peak memory, MB | of a worker, MB | disk, MB | clusters found | copies dropped | "
        "dropped wrongly |",
        "|" + "---:|" * 12,
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
            f"A yardstick is the processor time of a search of {YARDSTICK:,} documents, always the "
            f"same, for which the search is stopped every {EVERY} s; the middle one of all that "
            f"were timed during a size, {AROUND} before and {AROUND} after it. Of sizes that were "
            f"searched several times ({', '.join(_repeated(rows))}) the middle one is shown.",
            "",
        ]
    )


def _repeated(rows: Sequence[dict[str, Any]]) -> list[str]:
    return [f"{row['documents']:,}: {row['times']}" for row in rows if row["times"] > 1]


if __name__ == "__main__":
    main()
