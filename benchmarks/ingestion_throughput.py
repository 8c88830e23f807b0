"""How fast documents in mixed formats are ingested, and in how much memory.

python -m benchmarks.ingestion_throughput [--sizes 1000 3000 10000] [--page PAGE.md]

The whole stage is measured, in a fresh process for each size: finding, hashing, parsing,
cleaning, validation, Parquet, MLflow. Processor time is that of all processes together,
so documents per second of it are documents per second and core; it says nearly the same on a
busy machine. What watching the memory takes is left out: it goes by the clock. Memory is what
belongs to a process alone (RssAnon): pages of files that are mapped belong to the system, which
takes them back when it needs them.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

PAGE = Path(__file__).parent.parent / "docs" / "results" / "ingestion-throughput.md"
SEED = 7
# Memory counts as flat if ten times the documents need less than this much more.
FLAT = 1.25


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 3_000, 10_000])
    parser.add_argument("--page", type=Path, default=PAGE)
    parser.add_argument("--measure", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(measure(arguments.measure)))
        return
    rows = []
    for size in arguments.sizes:
        command = [sys.executable, "-m", "benchmarks.ingestion_throughput", "--measure", str(size)]
        output = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
        rows.append(json.loads(output.splitlines()[-1]))
        print(json.dumps(rows[-1]))
    text = render(rows)
    arguments.page.write_text(text)
    print(text)


def measure(size: int) -> dict[str, Any]:
    """Make the documents and ingest them twice; return the figures."""
    from benchmarks.mixed_documents import make_documents
    from data_contracts.dataset import read_manifest
    from tasks.ingestion.config import IngestionConfig
    from tasks.ingestion.task import ingest
    from tasks.tracking import start_pipeline_run

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # in a process of its own: its memory is not to be counted
        maker = os.fork()
        if maker == 0:
            make_documents(folder / "documents", size, SEED)
            os._exit(0)
        os.waitpid(maker, 0)
        uri = f"sqlite:///{folder / 'mlflow.db'}"
        context = start_pipeline_run(folder / "home", uri, "benchmark", "run", {})
        with Memory() as memory:
            start, used = time.perf_counter(), _processor_seconds()
            ref = ingest.fn(folder / "documents", IngestionConfig(), context)
            wall, processor = time.perf_counter() - start, _processor_seconds() - used
        changed = folder / "documents" / "part-000" / "new.md"
        changed.write_text("# New\n\nA new document with some words of its own.\n")
        start = time.perf_counter()
        ingest.fn(folder / "documents", IngestionConfig(), context)
        again = time.perf_counter() - start
        manifest = read_manifest(Path(ref.folder))
    return {
        "files": size,
        "rows_in": manifest.rows_in,
        "kept": manifest.rows_kept,
        "reasons": manifest.drop_reasons,
        "seconds": wall,
        "processor_seconds": processor - memory.processor,
        "again": again,
        "main": memory.main,
        "worker": memory.worker,
    }


def _processor_seconds() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


class Memory:
    """Watches the largest private memory of this process and of any process it started.

    Args:
        every: Seconds between two looks.

    Attributes:
        processor: Seconds of processor time that looking took.
    """

    def __init__(self, every: float = 0.1) -> None:
        self.every = every
        self.main = self.worker = 0
        self.processor = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def _watch(self) -> None:
        me = psutil.Process()
        while not self._stop.wait(self.every):
            self.main = max(self.main, anonymous_bytes(me.pid))
            for child in me.children(recursive=True):
                self.worker = max(self.worker, anonymous_bytes(child.pid))
        self.processor = time.thread_time()

    def __enter__(self) -> "Memory":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()


def anonymous_bytes(pid: int) -> int:
    """Return the memory of a process that is no file's; 0 once it has ended."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
    return 0


def _line(row: dict[str, Any]) -> str:
    return (
        f"| {row['files']:,} | {row['rows_in']:,} | {row['kept']:,} | {row['seconds']:.1f} | "
        f"{row['files'] / row['seconds']:.0f} | {row['processor_seconds']:.1f} | "
        f"{row['files'] / row['processor_seconds']:.1f} | {row['again']:.1f} | "
        f"{row['main'] / 1e6:.0f} | {row['worker'] / 1e6:.0f} |"
    )


def render(rows: Sequence[dict[str, Any]]) -> str:
    """Return the page."""
    table = [
        "| files | rows in | kept | wall s | files/s | processor s | files/s and core | "
        "one file more, s | peak memory, MB | of a parser's process, MB |",
        "|" + "---:|" * 10,
        *map(_line, rows),
    ]
    growth = rows[-1]["main"] / rows[0]["main"]
    times = rows[-1]["files"] / rows[0]["files"]
    flat = "flat" if growth < FLAT else "NOT flat"
    names = ("pyarrow", "ftfy", "markdown-it-py", "trafilatura", "mammoth", "pypdfium2")
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    return "\n".join(
        [
            "# Ingestion of documents in mixed formats",
            "",
            "`.venv/bin/python -m benchmarks.ingestion_throughput`, "
            f"{datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, {os.cpu_count()} cores, Python "
            f"{platform.python_version()}, {versions}.",
            "",
            *table,
            "",
            f"{times:.0f} times the documents, {growth:.2f} times the memory: **{flat}** (below "
            f"{FLAT}). The documents are made from real handbooks by a seeded script, 4 to 20 "
            "paragraphs each: 38 % Markdown, 16 % HTML, 14 % text, 8 % DOCX, 8 % PDF, 6 % e-mail "
            "with an attachment, 4 % XLSX, 4 % CSV, 2 % ZIP of four files.",
            "",
            'Processor time is that of all processes together, imports included. "One file '
            'more" is a second run after one document was added: the rest comes from the cache, '
            "shared lines are found anew. Peak memory is the main process's own, MLflow and Great "
            "Expectations included; mapped files are not counted.",
            "",
            f"Dropped in the largest run: {rows[-1]['reasons'] or 'nothing'}.",
            "",
        ]
    )


if __name__ == "__main__":
    main()
