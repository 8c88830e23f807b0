"""SIGKILL at random moments of a run: started again, does it end where an undisturbed one does?

A tiny random model on a few of the sample documents, so that a run takes a minute and a half; every
part of the pipeline is real. Each kill has a home folder of its own: the run and all its processes
are killed, the same command is started again, and what it ends with is compared with the
undisturbed run's.

Run: `.venv/bin/python -m benchmarks.faults [--kills 50] [--seed 0]`
"""

import argparse
import json
import os
import platform
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np
import psutil
from safetensors.numpy import load_file

from tests.plain_environment import plain_environment
from tests.tiny_profile import copy_few, write_tiny_profile

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "results" / "faults.md"
WEIGHTS = "weights/adapter_model.safetensors"


@dataclass(frozen=True)
class Ended:
    """What a run ended with."""

    dataset: str
    weights: Path
    version: str
    seconds: float


@dataclass(frozen=True)
class Kill:
    """One kill, and what the next run made of it.

    Attributes:
        moment: Seconds after the start of the run.
        after: The last stage that had said it was done; empty if none had.
        seconds: How long the second run took.
        same_dataset: Whether it ended with the undisturbed run's content hash.
        difference: Largest difference of a weight from the undisturbed run's.
        version: Of the registered model: a second one would have been registered twice.
        half_written: Files that a kill left under a temporary name, which nothing reads.
    """

    moment: float
    after: str
    seconds: float
    same_dataset: bool
    difference: float
    version: str
    half_written: int

    @property
    def lost_nothing(self) -> bool:
        """Whether dataset, model and registry are the undisturbed run's."""
        return self.same_dataset and self.difference == 0 and self.version == "1"


def start(profile: Path, home: Path) -> subprocess.Popen[str]:
    """Start the command; what its stages say goes into a file beside its home."""
    home.mkdir(parents=True, exist_ok=True)
    with (home.parent / f"{home.name}.log").open("a") as said:
        return subprocess.Popen(
            [sys.executable, "-m", "flows.cli", "run", str(profile), "--json"],
            env=plain_environment(TEMPER_HOME=str(home), PYTHONPATH=str(ROOT)),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
            start_new_session=True,
        )


def finish(profile: Path, home: Path) -> Ended:
    """Run to the end."""
    began = time.monotonic()
    process = start(profile, home)
    stdout, _ = process.communicate()
    if process.returncode != 0:
        raise RuntimeError((home.parent / f"{home.name}.log").read_text()[-4000:])
    result = json.loads(stdout)
    return Ended(
        dataset=result["dataset_content"],
        weights=Path(result["model_folder"]) / WEIGHTS,
        version=result["model_version"]["version"],
        seconds=time.monotonic() - began,
    )


def kill_at(profile: Path, home: Path, moment: float) -> str | None:
    """Kill a run after so many seconds; return the last stage done, None if the run was faster."""
    process = start(profile, home)
    try:
        process.wait(moment)
    except subprocess.TimeoutExpired:
        _kill_session(process.pid)
    process.communicate()
    if process.returncode != -signal.SIGKILL:
        return None
    lines = (home.parent / f"{home.name}.log").read_text().splitlines()
    words = [line.split()[1] for line in lines if line[2:3] == ":" and ": " in line]
    done = ["training, some steps" if word == "step" else word.rstrip(":") for word in words]
    return done[-1] if done else ""


def _kill_session(leader: int) -> None:
    """Kill a run and its Prefect server, which has a group of its own."""
    for process in psutil.process_iter():
        with suppress(ProcessLookupError, psutil.NoSuchProcess):
            if os.getsid(process.pid) == leader:
                process.kill()


def difference(left: Path, right: Path) -> float:
    """Return the largest difference between two files of weights."""
    one, two = load_file(left), load_file(right)
    if one.keys() != two.keys():
        return float("inf")
    return max(float(np.abs(one[name] - two[name]).max()) for name in one)


def half_written(home: Path) -> int:
    """Count what lies under a temporary name where datasets, models and caches are."""
    folders = [home / name for name in ("datasets", "models", "cache", "splits", "reports")]
    names = [path.name for folder in folders for path in folder.rglob("*")]
    return sum(n.startswith(".") or n.endswith((".partial", ".unfinished")) for n in names)


def measure(folder: Path, kills: int, seed: int) -> Iterator[tuple[Ended, list[Kill]]]:
    """Run undisturbed, then kill and start again so many times; yield what is found so far."""
    profile = write_tiny_profile(folder / "profile", copy_few(folder / "documents"))
    finish(profile, folder / "warm")  # the first reads every library from disk
    whole = finish(profile, folder / "whole")
    drawn, found = random.Random(seed), list[Kill]()
    while len(found) < kills:
        home = folder / f"killed-{len(found)}"
        moment = drawn.uniform(0, whole.seconds)
        after = kill_at(profile, home, moment)
        if after is not None:
            ended = finish(profile, home)
            found.append(_compared(whole, ended, moment, after, half_written(home)))
            print(f"{len(found)}/{kills}", found[-1], flush=True)
            yield whole, found
        shutil.rmtree(home)
        (folder / f"{home.name}.log").unlink()


def _compared(whole: Ended, ended: Ended, moment: float, after: str, left: int) -> Kill:
    return Kill(
        moment=moment,
        after=after,
        seconds=ended.seconds,
        same_dataset=ended.dataset == whole.dataset,
        difference=difference(ended.weights, whole.weights),
        version=ended.version,
        half_written=left,
    )


def render(whole: Ended, kills: Sequence[Kill], seed: int) -> str:
    """Return the page."""
    names = ("prefect", "mlflow", "torch", "transformers")
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    stages = list(dict.fromkeys(k.after for k in sorted(kills, key=lambda k: k.moment)))
    rows = []
    for stage in stages:
        of_it = [k for k in kills if k.after == stage]
        again = float(np.median([k.seconds for k in of_it]))
        kept = sum(k.lost_nothing for k in of_it)
        rows.append(f"| {stage or 'nothing yet'} | {len(of_it)} | {kept} | {again:.0f} |")
    apart = [f"- {kill}" for kill in kills if not kill.lost_nothing]
    return "\n".join(
        [
            "# SIGKILL at random moments",
            "",
            f"`.venv/bin/python -m benchmarks.faults --kills {len(kills)} --seed {seed}`, "
            f"{datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, {os.cpu_count()} cores shared "
            f"with other work, Python {platform.python_version()}, {versions}.",
            "",
            "`temper run` on a few of the sample documents with a tiny random model, from "
            "documents to registry. All processes of the run are killed after a random share of "
            f"the {whole.seconds:.0f} s that an undisturbed one takes, and the same command is "
            "started again in the same home folder.",
            "",
            f"{len(kills)} kills; after {sum(k.same_dataset for k in kills)} of them the second "
            "run ended with the undisturbed run's dataset (content hash), after "
            f"{sum(k.difference == 0 for k in kills)} with its weights bit for bit (largest "
            f"difference {max(k.difference for k in kills):g}), after "
            f"{sum(k.version == '1' for k in kills)} with one registered version. The second run "
            f"took {np.median([k.seconds for k in kills]):.0f} s (median).",
            "",
            "| last stage done before the kill | kills | nothing lost | second run, s |",
            "|---|---:|---:|---:|",
            *rows,
            "",
            f"{sum(k.half_written > 0 for k in kills)} kills left files under a temporary name "
            f"({sum(k.half_written for k in kills)} in all). Nothing reads them.",
            "",
            *(["What differed:", "", *apart, ""] if apart else []),
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--page", type=Path, default=PAGE)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="temper-faults-") as folder:
        for whole, kills in measure(Path(folder), options.kills, options.seed):
            options.page.write_text(render(whole, kills, options.seed), encoding="utf-8")


if __name__ == "__main__":
    main()
