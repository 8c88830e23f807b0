"""A process that parses files for another, under limits: `python -m tasks.ingestion.worker`.

It dies of a file that takes too much time or memory, and has no network where the kernel lets it
be without. The process that started it
(`tasks.ingestion.isolation`) learns from its exit status why, and starts another one.
"""

import logging
import os
import resource
import signal
import sys
import warnings
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection

import psutil

from tasks.ingestion.config import IngestionConfig
from tasks.ingestion.document import parse_file, scrubber_of
from tasks.ingestion.no_network import leave_network
from tasks.ingestion.parser import UnreadableFile

# Exit statuses beyond those that Python itself uses.
OUT_OF_MEMORY = 75
RETIRED = 76
# The first message: from here on, a death is the fault of a file.
READY = "ready"

# Libraries keep what they once allocated. A process that has used up this share of what a
# file may take makes room for a fresh one, lest a later file be blamed for it.
_RETIRE_AT = 0.5


@dataclass(frozen=True)
class Job:
    """A file to parse.

    Attributes:
        number: Its place among the files.
        key: Under which its rows are kept.
        path: Its path within the source.
        content: Its bytes.
    """

    number: int
    key: str
    path: str
    content: bytes


def serve(connection: Connection) -> int:
    """Say that it is ready; answer each job with its rows and then None; return the exit status.

    The first message is the configuration; each further one is a job, the number of rows
    already known, and why the next one is refused, if it is.
    """
    try:
        config: IngestionConfig = connection.recv()
        scrubber_of(config.scrubbing)  # takes time that no file is to be blamed for
        base = psutil.Process().memory_info().vms
        _limit_memory(base + config.memory_per_file_bytes)
        connection.send(READY)
        while True:
            job, done, refused = connection.recv()
            _answer(connection, job, config, done, refused)
            if psutil.Process().memory_info().vms - base > (
                config.memory_per_file_bytes * _RETIRE_AT
            ):
                return RETIRED
    except (EOFError, BrokenPipeError):  # the other side has closed
        return 0
    except MemoryError:
        return OUT_OF_MEMORY


def _answer(
    connection: Connection,
    job: Job,
    config: IngestionConfig,
    done: int,
    refused: UnreadableFile | None,
) -> None:
    """Send the rows of one job; the clock starts anew for each."""
    signal.setitimer(signal.ITIMER_PROF, config.seconds_per_file)
    for row in parse_file(job.path, job.content, config, done, refused):
        signal.setitimer(signal.ITIMER_PROF, config.seconds_per_file)
        connection.send(row)
    signal.setitimer(signal.ITIMER_PROF, 0)
    connection.send(None)


def _limit_memory(most: int) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(ValueError, OSError):  # macOS knows no limit of the address space
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def main() -> None:
    """Serve on the inherited file descriptor that the command line names."""
    warnings.simplefilter("ignore")  # what libraries say of odd files is no news
    logging.disable(logging.CRITICAL)
    leave_network()
    status = serve(Connection(int(sys.argv[1])))
    # threads of libraries must not keep a process alive that has no memory left
    os._exit(status)


if __name__ == "__main__":
    main()
