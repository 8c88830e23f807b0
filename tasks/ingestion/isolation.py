"""Parses files in processes of their own, so that a hostile one can do no harm.

Each process has a limit of processor time for a file, which the kernel enforces by a
signal even within a C library, and a limit of memory. One that dies is replaced, and the
file it died of becomes a dropped row. Processes are long-lived: a start costs about half
a second, a file's way there and back well under a millisecond.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from typing import Any

from data_contracts.errors import DocumentsError
from tasks.ingestion.config import IngestionConfig
from tasks.ingestion.parser import DropReason, UnreadableFile
from tasks.ingestion.worker import OUT_OF_MEMORY, READY, RETIRED, Job

Row = dict[str, Any]

# A process that waits (for another program, for a lock) uses no processor time. So it may
# take this many times as long by the clock; on a busy machine, less would blame the file.
_CLOCK_FACTOR = 5.0
# Imports, scrubbing keys: far less, unless the machine is overwhelmed.
_START_SECONDS = 120.0
# A process that has closed its connection needs some time to end.
_LAST_SECONDS = 5.0
# A container is given up when this many of its members have killed a process.
_MOST_DEATHS = 3

# Parsers are run side by side, so one thread each; more would also reserve address space.
_ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}


@dataclass
class _Worker:
    """A process, the file it works on, and what it has answered so far."""

    process: subprocess.Popen[bytes]
    connection: Connection
    job: Job | None = None
    rows: list[Row] = field(default_factory=list)
    deadline: float = 0.0
    ready: bool = False
    # how many rows there were each time a process died of this job
    deaths: list[int] = field(default_factory=list)


class ParserPool:
    """Processes that parse files.

    Args:
        config: Options, the number of processes and their limits among them.
    """

    def __init__(self, config: IngestionConfig) -> None:
        self.config = config
        self.size = config.workers or os.cpu_count() or 1
        self._workers: list[_Worker] = []

    def run(self, jobs: Iterable[Job]) -> Iterator[tuple[Job, list[Row]]]:
        """Yield each job with its rows, in the order in which they are finished.

        Raises:
            DocumentsError: A process cannot be started.
        """
        waiting = iter(jobs)
        try:
            while self._hand_out(waiting):
                for worker, job in self._wait():
                    yield from self._receive(worker, job)
        finally:
            self._close()

    def _hand_out(self, waiting: Iterator[Job]) -> bool:
        """Give every free process a job; return whether any process is at work."""
        while any(worker.job is None for worker in self._workers) or (
            len(self._workers) < self.size
        ):
            job = next(waiting, None)
            if job is None:
                break
            worker = self._free()
            worker.job, worker.rows, worker.deaths = job, [], []
            self._send(worker, None)
        return any(worker.job for worker in self._workers)

    def _free(self) -> _Worker:
        """Return a process without a job: one that lives, or a new one."""
        worker = next((w for w in self._workers if w.job is None), None)
        if worker is None:
            worker = self._start()
            self._workers.append(worker)
        elif worker.process.poll() is not None:
            self._replace(worker)
        return worker

    def _replace(self, worker: _Worker) -> int:
        """Put a new process in the place of one; return the old one's exit status."""
        _end(worker.process)
        worker.connection.close()
        status, fresh = worker.process.returncode, self._start()
        worker.process, worker.connection, worker.ready = fresh.process, fresh.connection, False
        return status

    def _start(self) -> _Worker:
        ours, theirs = Pipe()
        process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", "tasks.ingestion.worker", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            env=os.environ | _ONE_THREAD | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,  # so that what a parser starts ends with it
        )
        theirs.close()
        ours.send(self.config)
        return _Worker(process, ours)

    def _send(self, worker: _Worker, refused: UnreadableFile | None) -> None:
        worker.deadline = self._deadline()
        if not worker.ready:
            worker.deadline += _START_SECONDS
        # one that is dead already is noticed when its answer is awaited
        with suppress(BrokenPipeError, ConnectionResetError):
            worker.connection.send((worker.job, len(worker.rows), refused))

    def _deadline(self) -> float:
        return time.monotonic() + self.config.seconds_per_file * _CLOCK_FACTOR

    def _wait(self) -> list[tuple[_Worker, Job]]:
        """Return the processes that have answered, died, or run out of time."""
        busy = [(worker, worker.job) for worker in self._workers if worker.job]
        soonest = min(worker.deadline for worker, _ in busy)
        ready = wait([w.connection for w, _ in busy], max(0.0, soonest - time.monotonic()))
        now = time.monotonic()
        return [(w, job) for w, job in busy if w.connection in ready or w.deadline <= now]

    def _receive(self, worker: _Worker, job: Job) -> Iterator[tuple[Job, list[Row]]]:
        """Take one message of a process; yield the job if that finishes it."""
        if not worker.connection.poll():  # out of time
            yield from self._died(worker, job)
            return
        try:
            row = worker.connection.recv()
        except (EOFError, ConnectionResetError):
            yield from self._died(worker, job)
            return
        worker.deadline = self._deadline()
        if row == READY:
            worker.ready = True
            return
        if row is not None:
            worker.rows.append(row)
            return
        worker.job = None
        yield job, worker.rows

    def _died(self, worker: _Worker, job: Job) -> Iterator[tuple[Job, list[Row]]]:
        """Replace a dead process and let the new one go on behind what it died of."""
        late = worker.deadline <= time.monotonic()
        if not late:  # its status tells what it died of, once it has
            with suppress(subprocess.TimeoutExpired):
                worker.process.wait(_LAST_SECONDS)
        if not worker.ready:
            raise DocumentsError(
                "A process for parsing could not start. If it said why, that stands above; else "
                "look for memory that is used up, or set ingestion.workers to a lower number."
            )
        status = self._replace(worker)
        if status == RETIRED:  # before it read this job
            self._send(worker, None)
            return
        problem = self._cause(status, late)
        no_progress = worker.deaths[-1:] == [len(worker.rows)]
        worker.deaths.append(len(worker.rows))
        if no_progress or len(worker.deaths) > _MOST_DEATHS:
            worker.job = None
            yield job, [*worker.rows, _given_up(job, len(worker.rows), problem)]
        else:
            self._send(worker, problem)

    def _cause(self, status: int, late: bool) -> UnreadableFile:
        config = self.config
        reason: DropReason
        if status == -signal.SIGPROF or late:
            reason = "timeout"
            detail = f"Parsing took more than {config.seconds_per_file:g} s (seconds_per_file)."
        elif status in (OUT_OF_MEMORY, -signal.SIGKILL):  # by itself, or by the kernel
            reason = "out_of_memory"
            limit = config.memory_per_file_bytes
            detail = f"Parsing took more than {limit:,} bytes (memory_per_file_bytes)."
        else:
            reason, detail = "crashed", f"The parser's process died over it ({_name(status)})."
        return UnreadableFile(reason, detail)

    def _close(self) -> None:
        for worker in self._workers:
            _end(worker.process)  # first: one that still starts would complain of a closed line
            worker.connection.close()
        self._workers.clear()


def _given_up(job: Job, rows: int, problem: UnreadableFile) -> Row:
    """Return the row that stands for what is left of a file after several deaths."""
    from tasks.ingestion.document import dropped_row, rest_row
    from tasks.ingestion.sources import document_id

    if rows:
        return rest_row(job.path, problem)
    return dropped_row({"document_id": document_id(job.path), "path": job.path}, problem)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process and all it has started."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _name(status: int) -> str:
    if status < 0:
        return signal.Signals(-status).name
    return f"exit status {status}"
