"""Training by several processes: starts them, listens to them, ends them."""

import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

from data_contracts import errors
from data_contracts.dataset import DatasetRef
from data_contracts.errors import TemperError, TrainingError
from data_contracts.results import BaseModelRef, TrainingPoint, TrainingResult
from tasks.modeling.tuned import RESULT
from tasks.training.config import TrainingConfig
from tasks.training.worker import Job

logger = logging.getLogger(__name__)

# The launcher gives its processes 30 s to end (torch.distributed.elastic).
SECONDS_TO_END = 40
# As much of what the processes said as helps to see why one failed.
_TAIL = 2_000


def train_in_processes(
    examples: DatasetRef,
    base: BaseModelRef,
    config: TrainingConfig,
    folder: Path,
    on_point: Callable[[TrainingPoint], None],
) -> TrainingResult:
    """Train as `train_model` does, by `config.processes` processes on this machine.

    Args:
        examples: Rows in the EXAMPLE schema, with `split` set.
        base: The model to start from.
        config: Method and options.
        folder: Receives the model; checkpoints while it runs.
        on_point: Called with every measured moment.

    Raises:
        TemperError: What `train_model` raises, or a process ended in another way.
    """
    job = Job(examples=examples, base=base, config=config, folder=folder, parent=os.getpid())
    with TemporaryDirectory(prefix="temper-training-") as place:
        path, log = Path(place) / "job.json", Path(place) / "log.txt"
        path.write_text(job.model_dump_json(), encoding="utf-8")
        with log.open("w", encoding="utf-8") as said, _launched(path, config, said) as process:
            error = _listen(process, on_point)
            status = process.wait()
        if error is None and status:
            error = _ended(status, log.read_text(encoding="utf-8", errors="replace"))
    if error is not None:
        raise error
    return TrainingResult.model_validate_json((folder / RESULT).read_text(encoding="utf-8"))


def launch_command(job: Path, processes: int) -> list[str]:
    """Return the command that starts the processes; they meet on a free loopback port."""
    options = {
        "num_processes": processes,
        "num_machines": 1,
        "mixed_precision": "no",  # the trainer decides
        "dynamo_backend": "no",
        "main_process_ip": "127.0.0.1",
        "main_process_port": 0,
    }
    pairs = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    launcher = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", *pairs]
    return [*launcher, "--module", "tasks.training.worker", str(job)]


@contextmanager
def _launched(
    job: Path, config: TrainingConfig, said: IO[str]
) -> Iterator["subprocess.Popen[str]"]:
    threads = max(1, (os.cpu_count() or 1) // config.processes)
    process = subprocess.Popen(  # noqa: S603 (our own module, no shell)
        launch_command(job, config.processes),
        env={"OMP_NUM_THREADS": str(threads), **os.environ, "GLOO_SOCKET_IFNAME": "lo"},
        stdout=subprocess.PIPE,
        stderr=said,
        text=True,
        start_new_session=True,  # so that all of them can be ended at once
    )
    with process:
        try:
            yield process
        finally:
            _end(process)


def _listen(
    process: "subprocess.Popen[str]", on_point: Callable[[TrainingPoint], None]
) -> TemperError | None:
    """Pass on every point until the processes end; return the first error that one names."""
    error = None
    for line in process.stdout or ():
        message = _message(line)
        if "point" in message:
            on_point(TrainingPoint.model_validate(message["point"]))
        elif "error" in message:
            error = error or getattr(errors, message["error"])(message["message"])
    return error


def _message(line: str) -> dict[str, str]:
    try:
        message = json.loads(line)
    except ValueError:
        return {}  # a library printed
    return message if isinstance(message, dict) else {}


def _ended(status: int, said: str) -> TrainingError:
    return TrainingError(
        f"A process of training ended before its time (launcher's exit status {status}). Run "
        "again: training goes on from its newest checkpoint. The processes said last:\n"
        f"{said[-_TAIL:]}"
    )


def _end(process: "subprocess.Popen[str]") -> None:
    if process.poll() is not None:
        return
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(timeout=SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
