"""One run of the pipeline, with Prefect, MLflow and Great Expectations or without, timed by task.

`measured` starts this module as a process of its own: `machinery_run.py KIND PROFILE RESULT`.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.plain_environment import plain_environment

ROOT = Path(__file__).parent.parent
WITH, WITHOUT = "with", "without"


@dataclass(frozen=True)
class Spent:
    """Wall and processor seconds."""

    wall: float
    processor: float


@dataclass(frozen=True)
class Run:
    """One run.

    Attributes:
        size: Of the work.
        kind: With the machinery, without it, or with it in a new home folder.
        all: From the start of the process to its end, its children included.
        stages: Of the process itself, task by task.
        children: Processor seconds of its children: the parsers' and Prefect's temporary server.
        content: Hash of the dataset: the work was the same.
    """

    size: str
    kind: str
    all: Spent
    stages: dict[str, Spent]
    children: float
    content: str


class Clock:
    """Adds up what is spent in each task, and notes when the first began and the last ended."""

    def __init__(self) -> None:
        self.spent: dict[str, list[float]] = {}

    def timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function, timed."""

        def call(*arguments: Any, **named: Any) -> Any:
            began, busy = time.monotonic(), time.process_time()
            try:
                return function(*arguments, **named)
            finally:
                each = self.spent.setdefault(name, [0.0, 0.0])
                each[0] += time.monotonic() - began
                each[1] += time.process_time() - busy

        return call


def run_here(kind: str, profile: str) -> dict[str, Any]:
    """Run the pipeline in this process; return what its tasks spent."""
    from flows.environment import prepare_environment
    from tasks.settings import Settings

    prepare_environment(Settings())
    clock = Clock()
    if kind == WITHOUT:
        from benchmarks.bare import run_bare

        result = run_bare(clock.timed, profile)
    else:
        from flows.commands.output import prefect_session

        with prefect_session(Settings()):
            result = _run_timed(clock, profile)
    return {"content": result.dataset_content, "spent": clock.spent}


def _run_timed(clock: Clock, profile: str) -> Any:
    import prefect

    from flows.pipeline import fine_tuning_pipeline

    call = prefect.Task.__call__
    prefect.Task.__call__ = lambda task, *given, **named: clock.timed(task.name, call)(
        task, *given, **named
    )
    return fine_tuning_pipeline(profile)


def measured(kind: str, profile: Path, home: Path, size: str) -> Run:
    """Run in a process of its own."""
    environment = plain_environment(
        TEMPER_HOME=str(home), PYTHONPATH=str(ROOT), OMP_NUM_THREADS="1", OMP_WAIT_POLICY="passive"
    )
    said = profile.with_suffix(".json")
    command = [sys.executable, "-m", "benchmarks.machinery_run", kind, profile, said]
    began = time.monotonic()
    process = subprocess.Popen(command, env=environment, cwd=ROOT)
    _pid, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - began
    if status:
        raise RuntimeError(f"a run {kind} the machinery failed; it has said why above")
    told = json.loads(said.read_text())
    total = usage.ru_utime + usage.ru_stime
    return Run(
        size=size,
        kind=kind,
        all=Spent(wall, total),
        stages={name: Spent(*spent) for name, spent in told["spent"].items()},
        children=total - told["itself"],
        content=told["content"],
    )


def main(kind: str, profile: str, result: str) -> None:
    """Be one run."""
    told = run_here(kind, profile)
    used = os.times()
    told["itself"] = used.user + used.system
    Path(result).write_text(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
