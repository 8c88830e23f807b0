"""What Prefect, MLflow and Great Expectations cost: the pipeline with them and without, in pairs.

Each run is a process of its own in a home folder of its own, on the same documents with the same
tiny random model. With them, it is the pipeline that `temper run` runs, Prefect's temporary server
included; without, the same functions in the same order (benchmarks/bare.py). Work of several sizes
tells what is paid once from what grows with it.

Run: `.venv/bin/python -m benchmarks.machinery [--pairs 3]`
"""

import argparse
import os
import platform
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import yaml

from benchmarks.machinery_run import WITH, WITHOUT, Run, Spent, measured
from tests.tiny_profile import DOCUMENTS, copy_few, write_tiny_profile

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "results" / "machinery.md"
NOTES = Path(__file__).with_suffix(".notes.md")
# What the issue asks for.
MOST_SHARE, MOST_START = 0.05, 15.0
FIRST = "with, in a new home"
# Tasks that cost less than this are one row of the page.
NAMED = 0.2
# What the tiny profile is changed in; the first on a few documents, the others on all.
SIZES: dict[str, dict[str, Any]] = {
    "small": {},
    "middle": {"generation": {"max_rows_per_document": 20}, "training": {"epochs": 4}},
    "large": {
        "generation": {"max_rows_per_document": 20},
        "training": {"epochs": 16},
        "evaluation": {"test_rows": 40, "train_rows": 40, "general_items_per_skill": 8},
    },
}


def measure(folder: Path, pairs: int) -> Iterator[list[Run]]:
    """Run in pairs; yield what was found so far."""
    template = folder / "template"
    profiles = {size: write_profile(folder / size, size) for size in SIZES}
    first = write_profile(
        folder / "first", "small", "first"
    )  # what it registers is not found again
    new = measured(WITH, first, template, "small")
    found = [replace(new, kind=FIRST)]
    for made in ("datasets", "models", "cache", "splits", "reports", "mlartifacts"):
        shutil.rmtree(template / made, ignore_errors=True)  # the databases stay
    for number in range(pairs):
        for size, profile in profiles.items():
            for kind in (WITH, WITHOUT) if number % 2 else (WITHOUT, WITH):
                home = folder / f"home-{kind}"
                if kind == WITH:
                    shutil.copytree(template, home)
                found.append(measured(kind, profile, home, size))
                shutil.rmtree(home)
                print(found[-1], flush=True)
        yield found


def write_profile(folder: Path, size: str, name: str = "tiny") -> Path:
    """Write the profile of a size, its model and its documents."""
    documents = copy_few(folder / "documents") if size == "small" else DOCUMENTS
    path = write_tiny_profile(folder, documents)
    values = yaml.safe_load(path.read_text())
    values |= {"name": name, "registry": {"model_name": name}}
    for section, changed in SIZES[size].items():
        values[section] |= changed
    path.write_text(yaml.safe_dump(values))
    return path


def of(found: Sequence[Run], kind: str, size: str) -> list[Run]:
    """Return the runs of a kind and size."""
    return [run for run in found if (run.kind, run.size) == (kind, size)]


def start_and_share(found: Sequence[Run], what: Callable[[Run], float]) -> tuple[float, float]:
    """Return what the machinery adds once, in seconds, and as a share of the bare functions' time.

    A line through the pairs' differences: by size, the median of each side.
    """
    bare = np.array([median(map(what, of(found, WITHOUT, size))) for size in SIZES])
    more = np.array([median(map(what, of(found, WITH, size))) for size in SIZES]) - bare
    share, start = np.polyfit(bare, more, 1)
    return float(start), float(share)


def sizes_table(found: Sequence[Run]) -> list[str]:
    """Return the rows of the table by size."""
    rows = []
    for size in SIZES:
        line = [size]
        for what in (_wall, _processor):
            bare, full = (median(map(what, of(found, kind, size))) for kind in (WITHOUT, WITH))
            line += [f"{bare:.1f}", f"{full:.1f}", f"{full - bare:+.1f}"]
        bare, full = (
            median(run.children for run in of(found, kind, size)) for kind in (WITHOUT, WITH)
        )
        line.append(f"{full - bare:.1f}")
        rows.append(f"| {' | '.join(line)} |")
    return rows


def stages_table(found: Sequence[Run]) -> list[str]:
    """Return the rows of the table by task: processor seconds of the smallest and largest size."""
    ends = ("small", "large")
    names = dict.fromkeys(name for run in of(found, WITH, "large") for name in run.stages)

    def seconds(kind: str, size: str, name: str) -> float:
        nothing = Spent(0.0, 0.0)
        return median(r.stages.get(name, nothing).processor for r in of(found, kind, size))

    lines = {n: [seconds(k, s, n) for s in ends for k in (WITHOUT, WITH)] for n in names}
    rows = {n: v for n, v in lines.items() if max(v) >= NAMED}
    small = [v for n, v in lines.items() if n not in rows]
    if small:
        rows[f"{len(small)} others together"] = [sum(column) for column in zip(*small, strict=True)]
    inside = [sum(column) for column in zip(*lines.values(), strict=True)]
    whole = [
        median(r.all.processor - r.children for r in of(found, k, s))
        for s in ends
        for k in (WITHOUT, WITH)
    ]
    rows["imports, flows, the end"] = [w - i for w, i in zip(whole, inside, strict=True)]
    return [
        f"| {n} | {v[0]:.1f} | {v[1]:.1f} | {v[1] - v[0]:+.1f} | {v[2]:.1f} | {v[3]:.1f} | "
        f"{v[3] - v[2]:+.1f} |"
        for n, v in rows.items()
    ]


def render(found: Sequence[Run]) -> str:
    """Return the page."""
    names = ("prefect", "mlflow", "great-expectations", "torch")
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    pairs = len(of(found, WITHOUT, "small"))
    wall, processor = start_and_share(found, _wall), start_and_share(found, _processor)
    new = of(found, FIRST, "small")[0]
    usual = median(map(_processor, of(found, WITH, "small")))
    usual_wall = median(map(_wall, of(found, WITH, "small")))
    made = [
        {run.content for kind in (WITH, WITHOUT) for run in of(found, kind, size)} for size in SIZES
    ]
    alike = all(len(contents) == 1 for contents in made)
    return "\n".join(
        [
            "# What Prefect, MLflow and Great Expectations cost",
            "",
            f"`.venv/bin/python -m benchmarks.machinery --pairs {pairs}`, "
            f"{datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, {os.cpu_count()} cores shared "
            f"with other work, Python {platform.python_version()}, {versions}.",
            "",
            "The whole pipeline, from documents to a registered model, with them and without, "
            f"{pairs} pairs of each size in turn, medians. Every run is a process and a home "
            "folder of its own; the model is a tiny random one, so that the work is small and "
            "the machinery stands out. Without them: the same functions in the same order, "
            "contracts checked by Arrow's schema alone, no registered version. "
            + ("Both made the same dataset." if alike else "**The datasets differ.**"),
            "",
            "| | once, s | per second of the bare functions |",
            "|---|---:|---:|",
            f"| wall | {wall[0]:+.1f} | {wall[1]:+.1%} |",
            f"| processor | {processor[0]:+.1f} | {processor[1]:+.1%} |",
            f"| wanted | at most {MOST_START:.0f} | at most {MOST_SHARE:.0%} |",
            "",
            "A new home folder, whose databases are made once, takes "
            f"{new.all.wall - usual_wall:+.1f} s of wall and "
            f"{new.all.processor - usual:+.1f} s of processor time.",
            "",
            "| work | wall, bare | with | more | processor, bare | with | more | of it "
            "Prefect's server |",
            "|---|---:|---:|---:|---:|---:|---:|---:|",
            *sizes_table(found),
            "",
            "Processor seconds of the process by task:",
            "",
            "| task | small, bare | with | more | large, bare | with | more |",
            "|---|---:|---:|---:|---:|---:|---:|",
            *stages_table(found),
            "",
            NOTES.read_text(encoding="utf-8"),
        ]
    )


def _wall(run: Run) -> float:
    return run.all.wall


def _processor(run: Run) -> float:
    return run.all.processor


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--page", type=Path, default=PAGE)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="temper-machinery-") as folder:
        for found in measure(Path(folder), options.pairs):
            options.page.write_text(render(found), encoding="utf-8")


if __name__ == "__main__":
    main()
