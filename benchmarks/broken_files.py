"""What ingestion makes of a thousand broken and hostile files.

python -m benchmarks.broken_files [--count 1000] [--page PAGE.md]

The files are made by a seeded script and ingested by one process that parses, so that each
file's time can be told, under strace, which names every file that is opened for writing,
made, renamed or removed, every program started and every connection, whoever asks for it.
"""

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.broken_documents import write_broken_files
from benchmarks.ingestion_throughput import Memory

PAGE = Path(__file__).parent.parent / "docs" / "results" / "broken-files.md"
SEED = 3
LIMITS = {
    "workers": 1,
    "seconds_per_file": 10.0,
    "memory_per_file_bytes": 1_000_000_000,
    "containers": {"max_members": 1_000, "seconds": 30.0},
}

_CALLS = (
    "openat,open,creat,truncate,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,rmdir,"
    "link,linkat,symlink,symlinkat,chmod,fchmodat,connect,execve"
)
_WRITES = re.compile(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC")
_LINE = re.compile(r"^\d+\s+(\w+)\((.*)$")
_OURS = ("tasks.ingestion.worker", "benchmarks.broken_files")
_PATHS = re.compile(r'"((?:[^"\\]|\\.)*)"')


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1_000)
    parser.add_argument("--page", type=Path, default=PAGE)
    parser.add_argument("--ingest", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.ingest:
        ingest(arguments.ingest)
        return
    if shutil.which("strace") is None:
        sys.exit("strace is needed to see what is written: install it (Debian: apt install strace)")
    with tempfile.TemporaryDirectory() as name:
        text = render(arguments.count, measure(Path(name), arguments.count))
    arguments.page.write_text(text)
    print(text)


def measure(folder: Path, count: int) -> dict[str, Any]:
    """Make the files, ingest them under strace, and return what happened."""
    names = write_broken_files(folder / "documents", count, SEED)
    (folder / "tmp").mkdir()
    before = snapshot(folder / "documents")
    log = folder / "strace.log"
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": str(folder / "tmp")}
    command = ["strace", "-f", "--seccomp-bpf", "-o", str(log), "-e", f"trace={_CALLS}"]
    command += [sys.executable, "-m", "benchmarks.broken_files", "--ingest", str(folder)]
    subprocess.run(command, check=True, env=environment)
    result = json.loads((folder / "home" / "result.json").read_text())
    rows = [(path.split("/", 2), reason) for path, reason in result["rows"]]
    found = {f"{parts[0]}/{parts[1]}" for parts, _ in rows}
    return result | {
        "missing": sorted(set(names) - found),
        "unchanged": snapshot(folder / "documents") == before,
        "left": sorted(str(path) for path in (folder / "tmp").rglob("*")),
        "traces": sorted(set(traces(log.read_text(errors="replace").splitlines(), folder))),
    }


def snapshot(folder: Path) -> dict[str, tuple[int, int]]:
    """Return size and time of change of every file below a folder."""
    return {
        str(path): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
    }


def traces(lines: Iterable[str], folder: Path) -> Iterator[str]:
    """Yield what was done outside the home folder that a read does not do."""
    harmless = (str(folder / "home"), str(folder / "tmp"), "/dev/", "/proc/")
    for line in lines:
        found = _LINE.match(line)
        if not found or "= -1 " in line:
            continue
        call, rest = found.groups()
        if call.startswith("open") and not _WRITES.search(rest):
            continue
        if call == "execve" and any(name in rest for name in _OURS):
            continue
        paths = _PATHS.findall(rest)
        if call == "connect" and "AF_UNIX" in rest:
            continue
        if not paths or not all(path.startswith(harmless) for path in paths):
            yield f"{call}({rest[:160]}"


def ingest(folder: Path) -> None:
    """Ingest the files and write down what became of each, how long it took and in what memory."""
    from tasks.ingestion import parse
    from tasks.ingestion.config import IngestionConfig
    from tasks.ingestion.ingest import ingest_documents
    from tasks.ingestion.isolation import ParserPool
    from tasks.ingestion.worker import Job

    seconds: dict[str, float] = {}

    class TimedPool(ParserPool):
        def run(self, jobs: Iterable[Job]) -> Iterator[tuple[Job, list[dict[str, Any]]]]:
            last = time.monotonic()
            for job, rows in super().run(jobs):
                seconds[job.path] = time.monotonic() - last
                yield job, rows
                last = time.monotonic()

    parse.ParserPool = TimedPool  # type: ignore[misc]
    start = time.monotonic()
    with Memory(every=0.5) as memory:  # each look opens many files, which strace writes down
        config = IngestionConfig(**LIMITS)
        result = ingest_documents(folder / "documents", config, folder / "home" / "cache")
    dropped = zip(*(result.dropped[name].to_pylist() for name in ("path", "reason")), strict=True)
    outcome = {
        "rows": [*((path, "kept") for path in result.kept["path"].to_pylist()), *dropped],
        "rows_in": result.rows_in,
        "undetailed": sum(not detail for detail in result.dropped["detail"].to_pylist()),
        "seconds": seconds,
        "wall": time.monotonic() - start,
        "main": memory.main,
        "worker": memory.worker,
    }
    (folder / "home" / "result.json").write_text(json.dumps(outcome))


def render(count: int, result: dict[str, Any]) -> str:
    """Return the page."""
    kinds: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for path, reason in result["rows"]:
        kinds[path.split("/")[0]][reason] += 1
    slowest = sorted(result["seconds"].items(), key=lambda item: -item[1])[:8]
    balanced = len(result["rows"]) == result["rows_in"]
    checks = {
        "Every file has at least one row, kept or dropped": not result["missing"],
        "Rows in = kept + dropped": balanced,
        "Every dropped row has a reason and a sentence": result["undetailed"] == 0,
        "No file was written, made, moved or removed outside Temper's folder, no program "
        "started, no connection opened (strace)": not result["traces"],
        "The documents are as they were": result["unchanged"],
        "Nothing is left in the folder for temporary files": not result["left"],
    }
    lines = [
        "# A thousand broken files" if count == 1_000 else f"# {count} broken files",
        "",
        f"`.venv/bin/python -m benchmarks.broken_files`, {datetime.now(UTC):%Y-%m-%d}, "
        f"{platform.machine()}, Python {platform.python_version()}, {_versions()}. Limits: "
        f"{LIMITS['seconds_per_file']:g} s of processor time and "
        f"{LIMITS['memory_per_file_bytes']:,} bytes a file.",
        "",
        "| check | holds |",
        "|---|---|",
        *(f"| {what} | {'yes' if holds else '**NO**'} |" for what, holds in checks.items()),
        "",
        f"{count:,} files, {result['rows_in']:,} rows (an archive counts as its members), "
        f"{result['wall']:.0f} s. Slowest file {slowest[0][1]:.1f} s. Peak private memory: "
        f"{result['main'] / 1e6:.0f} MB of the main process, {result['worker'] / 1e6:.0f} MB of "
        "the parser's.",
        "",
        "| what was done to the file | rows | became |",
        "|---|---:|---|",
        *(
            f"| {kind} | {sum(found.values()):,} | {_listed(found)} |"
            for kind, found in sorted(kinds.items())
        ),
        "",
        "`kept` is what can be read in spite of all: a cut Markdown file is a shorter one, a "
        "wrong extension does no harm, and `many.zip` holds sound files.",
        "",
        "| slowest files | s |",
        "|---|---:|",
        *(f"| `{path}` | {seconds:.1f} |" for path, seconds in slowest),
        "",
    ]
    for title in ("missing", "traces", "left"):
        lines += [f"- {title}: `{line}`" for line in result[title][:20]]
    return "\n".join(lines)


def _listed(found: Counter[str]) -> str:
    return ", ".join(f"{reason} {n:,}" for reason, n in found.most_common())


def _versions() -> str:
    names: Sequence[str] = ("trafilatura", "mammoth", "openpyxl", "pypdfium2", "lxml", "ftfy")
    return ", ".join(f"{name} {version(name)}" for name in names)


if __name__ == "__main__":
    main()
