"""Many small runs in one process, as a worker serves them: does anything grow that should not?

Each run is a whole pipeline, from documents to registry, with a tiny random model on a few
documents of which one is another in every run, so that everything is made again. Before and after
each, the process is looked at: memory, open files, threads, child processes, temporary files.

Run: `.venv/bin/python -m benchmarks.soak [--runs 200] [--minutes 15]`
"""

import argparse
import gc
import os
import platform
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np
import psutil

from tests.tiny_profile import copy_few, write_tiny_profile

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "results" / "soak.md"
# The first runs fill caches of libraries; what grows after these is growth. The largest cache is
# MLflow's of where the artifacts of its last 1,024 runs lie, 20 of them a pipeline.
WARM_UP = 60
WHAT = {
    "memory": ("memory of the process, MB (resident)", 1e6),
    "files": ("open files and sockets", 1),
    "threads": ("threads", 1),
    "children": ("child processes", 1),
    "server": ("memory of Prefect's temporary server, MB (resident)", 1e6),
    "temporary": ("entries of the folder of temporary files", 1),
    "half_written": ("files under a temporary name in TEMPER_HOME", 1),
    "seconds": ("seconds of a run", 1),
}


@dataclass(frozen=True)
class Look:
    """What the process holds after a run."""

    memory: int
    files: int
    threads: int
    children: int
    server: int
    temporary: int
    half_written: int
    seconds: float


def look(home: Path, seconds: float) -> Look:
    """Look at this process."""
    gc.collect()
    process = psutil.Process()
    children = process.children(recursive=True)
    partial = [p for p in home.rglob("*") if p.name.endswith((".partial", ".unfinished"))]
    return Look(
        memory=process.memory_info().rss,
        files=process.num_fds(),
        threads=process.num_threads(),
        children=len(children),
        server=sum(child.memory_info().rss for child in children),
        temporary=len(list(Path(tempfile.gettempdir()).rglob("*"))),
        half_written=len([*partial, *(home / "datasets").glob("*/.*")]),
        seconds=seconds,
    )


def measure(folder: Path, runs: int, minutes: float) -> Iterator[list[Look]]:
    """Run so many times, or as many as time allows; yield what was held after each so far."""
    end = time.monotonic() + 60 * minutes
    home = folder / "home"
    os.environ |= {"TEMPER_HOME": str(home)}
    from flows.environment import prepare_environment
    from tasks.settings import Settings

    prepare_environment(Settings())
    from flows.pipeline import fine_tuning_pipeline

    documents = copy_few(folder / "documents")
    profile, found = write_tiny_profile(folder / "profile", documents), list[Look]()
    changed = documents / "changed.md"
    for number in range(runs):
        changed.write_text(
            f"# Lanterns\n\nThe fee for lantern {number} is {number + 3} euros a day.\n\n"
            f"A lantern {number} is a lamp that is carried by {number + 2} people.\n"
        )
        began = time.monotonic()
        fine_tuning_pipeline(str(profile))
        found.append(look(home, time.monotonic() - began))
        print(f"{number + 1}/{runs}", found[-1], flush=True)
        yield found
        if time.monotonic() > end:
            break


def slope(values: Sequence[float]) -> tuple[float, float]:
    """Return the growth a run after the warm-up, and its standard error."""
    kept = np.asarray(values[WARM_UP:], dtype=float)
    runs = np.arange(len(kept)) - (len(kept) - 1) / 2
    growth = float((runs * kept).sum() / (runs**2).sum())
    rest = kept - kept.mean() - growth * runs
    return growth, float(np.sqrt((rest**2).sum() / (len(kept) - 2) / (runs**2).sum()))


def render(found: Sequence[Look]) -> str:
    """Return the page."""
    names = ("prefect", "mlflow", "torch", "great-expectations")
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    rows = []
    for name, (what, unit) in WHAT.items():
        values = [asdict(each)[name] / unit for each in found]
        growth, error = slope(values)
        rows.append(
            f"| {what} | {values[0]:.0f} | {values[WARM_UP]:.0f} | {values[-1]:.0f} | "
            f"{max(values):.0f} | {growth:+.3f} ± {1.96 * error:.3f} |"
        )
    return "\n".join(
        [
            "# Many small runs in one process",
            "",
            f"`.venv/bin/python -m benchmarks.soak --runs {len(found)}`, "
            f"{datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, {os.cpu_count()} cores shared "
            f"with other work, Python {platform.python_version()}, {versions}.",
            "",
            f"{len(found)} whole pipelines one after the other in one process, from documents to "
            "registry, a tiny random model, a few of the sample documents of which one is another "
            "in every run: nothing of ingestion to registration is the run before's.",
            "",
            f"| | after run 1 | after run {WARM_UP + 1} | after the last | highest | a run, from "
            f"run {WARM_UP + 1} on (95 %) |",
            "|---|---:|---:|---:|---:|---:|",
            *rows,
            "",
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="End after so many.")
    parser.add_argument("--page", type=Path, default=PAGE)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="temper-soak-") as folder:
        temporary = Path(folder) / "temporary"
        temporary.mkdir()
        tempfile.tempdir = os.environ["TMPDIR"] = str(temporary)
        for found in measure(Path(folder), options.runs, options.minutes):
            if len(found) > WARM_UP + 5:
                options.page.write_text(render(found), encoding="utf-8")


if __name__ == "__main__":
    main()
