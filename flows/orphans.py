"""Ends what a killed run left running: `python -m flows.orphans RUN PID`, which the run starts.

Prefect's temporary server is a process of its own. A run that ends in any other way ends it; after
SIGKILL nothing in the run can, so this process waits for the run's death and does it.
"""

import os
import sys
import time
from typing import TYPE_CHECKING
from uuid import uuid4

if TYPE_CHECKING:
    import psutil

# Every process that a run starts inherits it.
MARK = "TEMPER_RUN"

SECONDS_BETWEEN_LOOKS = 0.5


def end_with_this_process() -> None:
    """Have the processes that this one starts from now on end when it dies, however it dies."""
    if MARK in os.environ:
        return  # part of another run, which takes care
    run = os.environ[MARK] = uuid4().hex
    nothing = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in range(3)]
    # in a session of its own, so that what ends the run's session does not end it too
    command = [sys.executable, "-m", "flows.orphans", run, str(os.getpid())]
    os.posix_spawn(sys.executable, command, os.environ, file_actions=nothing, setsid=True)


def _wait_and_end(run: str, parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(SECONDS_BETWEEN_LOOKS)
    import psutil

    left = [process for process in psutil.process_iter() if _belongs(process, run)]
    for process in left:
        process.terminate()
    for process in psutil.wait_procs(left, timeout=10)[1]:
        process.kill()


def _belongs(process: "psutil.Process", run: str) -> bool:
    import psutil

    try:
        return process.pid != os.getpid() and process.environ().get(MARK) == run
    except (psutil.AccessDenied, psutil.NoSuchProcess, psutil.ZombieProcess):
        return False


if __name__ == "__main__":
    _wait_and_end(sys.argv[1], int(sys.argv[2]))
