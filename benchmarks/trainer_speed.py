"""Temper's trainer beside TRL's SFTTrainer and LLaMA-Factory: speed and memory, same rows.

python -m benchmarks.trainer_speed --model FOLDER [--llamafactory PYTHON] [--steps 6] [--rounds 3]

Each run is a fresh process on one thread; tools take turns within a round. TRL and Temper start
from the same weights and see the same rows in the same order. `--llamafactory` is the Python of a
virtual environment that holds LLaMA-Factory 0.9.5; torchvision and torchaudio, which it demands for
pictures and sounds, need not load: an empty `torchaudio.py` will do.
"""

import argparse
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.figures import middle
from tasks.modeling.chat import IGNORED
from tasks.training.sampling import LengthGroupedSampler

PAGE = Path(__file__).parents[1] / "docs" / "results" / "trainer-speed.md"
WORKERS = Path(__file__).with_name("trainer_speed_workers.py")
BATCH, SEED = 8, 17
# Tokens of a row, and how many of them are supervised.
SHAPES = {"short": (45, 20), "long": (235, 25)}
# Tokens are drawn from this part of Gemma's vocabulary, which holds ordinary pieces of text.
VOCABULARY = (1_000, 200_000)
GIB = 2**30
# What can be computed anew, as the page names it; TRL and LLaMA-Factory know whole layers only.
RECOMPUTES = {"selective": "selective", "full": "layers anew"}


@dataclass(frozen=True)
class Case:
    """What is trained."""

    rows: str
    method: str

    @property
    def label(self) -> str:
        """How the page names it."""
        return f"{self.method}, {self.rows} rows"


@dataclass(frozen=True)
class Runner:
    """What trains: a tool under its own Python, keeping activations or computing them anew."""

    tool: str
    python: str
    recompute: str = ""

    @property
    def label(self) -> str:
        """How the page names it."""
        return f"{self.tool}, {RECOMPUTES[self.recompute]}" if self.recompute else self.tool


def main() -> None:
    """Run all cases and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--llamafactory", type=Path)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", nargs="+", default=list(SHAPES), choices=list(SHAPES))
    parser.add_argument("--methods", nargs="+", default=["lora", "full", "qlora"])
    parser.add_argument("--recompute", action="store_true", help="also the leaner modes of each")
    parser.add_argument("--page", type=Path, default=PAGE)
    arguments = parser.parse_args()
    pythons = {"temper": sys.executable, "trl": sys.executable}
    if arguments.llamafactory:
        pythons["llamafactory"] = str(arguments.llamafactory)
    runners = [Runner(tool, python) for tool, python in pythons.items()]
    if arguments.recompute:
        runners.insert(1, Runner("temper", pythons["temper"], "selective"))
        runners += [Runner(tool, python, "full") for tool, python in pythons.items()]
    measured = {}
    cases = [Case(rows, method) for method in arguments.methods for rows in arguments.rows]
    for case in cases:  # the page grows, so that hours are not lost to a failure at the end
        measured[case] = measure(case, runners, arguments)
        arguments.page.write_text(render(measured, arguments), encoding="utf-8")


def measure(
    case: Case, runners: Sequence[Runner], arguments: argparse.Namespace
) -> dict[str, list[dict[str, Any]]]:
    """Return the figures of each runner by its label, one entry a round."""
    rows = make_rows(case.rows, arguments.steps * BATCH)
    order = LengthGroupedSampler([len(row["input_ids"]) for row in rows], BATCH, SEED)
    found: dict[str, list[dict[str, Any]]] = {runner.label: [] for runner in runners}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "temper").write_text(json.dumps(rows), encoding="utf-8")
        # The others take rows as they come; so they get them in the order that Temper draws.
        (folder / "others").write_text(json.dumps([rows[at] for at in order]), encoding="utf-8")
        for _ in range(arguments.rounds):
            for runner in runners:
                file = folder / ("temper" if runner.tool == "temper" else "others")
                found[runner.label].append(run(runner, case, file, arguments.model))
    return found


def make_rows(shape: str, count: int) -> list[dict[str, list[int]]]:
    """Return rows of random tokens; only the last ones carry labels."""
    length, supervised = SHAPES[shape]
    drawn = random.Random(SEED)
    rows = []
    for _ in range(count):
        ids = [drawn.randrange(*VOCABULARY) for _ in range(length)]
        rows.append(
            {
                "input_ids": ids,
                "labels": [IGNORED] * (length - supervised) + ids[length - supervised :],
            }
        )
    return rows


def run(runner: Runner, case: Case, rows: Path, model: Path) -> dict[str, Any]:
    """Run one tool in a process of its own.

    Raises:
        RuntimeError: It failed; the message is the end of what it wrote.
    """
    options = [runner.recompute] if runner.recompute else []
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "OMP_WAIT_POLICY": "passive",
        "PYTHONPATH": "" if runner.tool == "llamafactory" else str(WORKERS.parents[1]),
    }
    done = subprocess.run(
        [runner.python, str(WORKERS), runner.tool, case.method, str(rows), str(model), *options],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{runner.label}, {case.label}: {done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    print(f"{runner.label}, {case.label}: {found}", file=sys.stderr)
    return found


def render(
    measured: dict[Case, dict[str, list[dict[str, Any]]]], arguments: argparse.Namespace
) -> str:
    """Return the page."""
    versions = ", ".join(f"{name} {version(name)}" for name in ("torch", "transformers", "trl"))
    peers = ["trl", *(["llamafactory"] if arguments.llamafactory else [])]
    lines = [
        "# The trainer beside TRL and LLaMA-Factory",
        "",
        f"`python -m benchmarks.trainer_speed {' '.join(sys.argv[1:])}`, "
        f"{datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, {os.cpu_count()} cores (one thread "
        f"a run), {versions}.",
        "",
        f"Gemma 3 270M in single precision, batch {BATCH}, LoRA of rank 8 on all linear layers, "
        f"AdamW, {arguments.steps} steps of which the first is not counted, {arguments.rounds} "
        "rounds in turn; medians. Short rows have 45 tokens (20 supervised), long ones 235 (25 "
        "supervised). TRL runs with its fused loss, the only one it has. Temper's `selective` "
        "computes anew what lies between the large products (`training.gradient_checkpointing`). "
        "Speed and memory are compared with each peer as it is fastest, by processor time. Peak "
        "memory is that of a fresh process, weights and libraries included. Tokens per second by "
        "processor time say more than by the clock where the machine is shared; it was, with a "
        "load of "
        f"{os.getloadavg()[2]:.0f} at the end, which lengthens processor time, too.",
        "",
        "| what | tool | tokens/s (processor) | tokens/s (clock) | peak GiB | last loss | "
        f"{' | '.join(f'speed to {peer} | memory to {peer}' for peer in peers)} |",
        "|---" * (6 + 2 * len(peers)) + "|",
    ]
    for case, runs in measured.items():
        lines += [row_of(case, label, runs, peers) for label in runs]
    if arguments.llamafactory:
        lines += ["", f"LLaMA-Factory's environment: {versions_of(arguments.llamafactory)}."]
    else:
        lines += ["", "LLaMA-Factory was not measured in this run (`--llamafactory` not given)."]
    return "\n".join(lines) + "\n"


@cache
def versions_of(python: Path) -> str:
    """Return the versions in another virtual environment of what training rests on."""
    names = ["llamafactory", "torch", "transformers", "peft", "trl"]
    told = "import sys, importlib.metadata as m; print(*map(m.version, sys.argv[1:]))"
    done = subprocess.run(
        [str(python), "-c", told, *names], capture_output=True, text=True, check=True
    )
    pairs = zip(names, done.stdout.split(), strict=True)
    return ", ".join(f"{name} {found}" for name, found in pairs)


def row_of(
    case: Case, label: str, runs: dict[str, list[dict[str, Any]]], peers: Sequence[str]
) -> str:
    """Return one line of the table."""
    tokens, found = SHAPES[case.rows][0] * BATCH, runs[label]
    compared = [
        f"{middle(runs[peer], 'cpu') / middle(found, 'cpu'):.2f} times | "
        f"{middle(found, 'peak') / middle(runs[peer], 'peak'):.2f} of it"
        for peer in peers
    ]
    return (
        f"| {case.label} | {label} | {tokens / middle(found, 'cpu'):.1f} "
        f"| {tokens / middle(found, 'wall'):.1f} | {middle(found, 'peak') / GIB:.2f} "
        f"| {found[0]['losses'][-1]:.4f} | {' | '.join(compared)} |"
    )


if __name__ == "__main__":
    main()
