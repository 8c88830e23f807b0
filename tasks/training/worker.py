"""One of several processes that train a model together; started by `accelerate launch`.

python -m tasks.training.worker JOB.json

It prints what it measures, or why it failed, as lines of JSON. It ends when the process that
wrote the job does, even by SIGKILL.
"""

import json
import logging
import os
import sys
import threading
import time
from pathlib import Path

from data_contracts.base import Result
from data_contracts.dataset import DatasetRef, read_kept
from data_contracts.errors import TemperError, TrainingError
from data_contracts.results import BaseModelRef, TrainingPoint
from tasks.training.config import TrainingConfig

# How often to look whether the parent still lives.
POLL_SECONDS = 0.5


class Job(Result):
    """What the processes are to do."""

    examples: DatasetRef
    base: BaseModelRef
    config: TrainingConfig
    folder: Path
    parent: int  # process id


def main() -> None:
    """Train; only the first process writes."""
    job = Job.model_validate_json(Path(sys.argv[1]).read_text(encoding="utf-8"))
    threading.Thread(target=_end_with, args=(job.parent,), daemon=True).start()
    logging.basicConfig(level=logging.INFO if os.environ["RANK"] == "0" else logging.WARNING)
    try:
        _train(job)
    except TemperError as error:
        _say({"error": type(error).__name__, "message": str(error)})
        raise SystemExit(1) from error


def _train(job: Job) -> None:
    import torch
    from accelerate import PartialState

    from tasks.training.train import train_model

    found = PartialState(cpu=not torch.accelerator.is_available()).num_processes
    if found != job.config.processes:
        raise TrainingError(
            f"{job.config.processes} processes were started and {found} found each other. Start "
            "training by `temper train`, or accelerate's launcher with as many processes."
        )
    train_model(read_kept(job.examples), job.base, job.config, job.folder, _tell)
    PartialState().destroy_process_group()


def _tell(point: TrainingPoint) -> None:
    _say({"point": point.model_dump()})


def _say(message: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def _end_with(parent: int) -> None:
    while True:
        try:
            os.kill(parent, 0)
        except ProcessLookupError:
            os._exit(1)
        time.sleep(POLL_SECONDS)


if __name__ == "__main__":
    main()
