"""Processes that work side by side: of this machine, or of a Dask cluster (extra `scale`)."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError, Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from multiprocessing import get_context
from typing import Any, NamedTuple, TypeVar

from data_contracts.errors import ConfigError, EngineError
from tasks.libraries import machine_versions
from tasks.settings import Settings

R = TypeVar("R")
T = TypeVar("T")

# Seconds to wait for a scheduler to answer.
TIMEOUT = 20

# A task whose worker died is given to another so often.
RETRIES = 3

# Calls under way for each process: enough that none waits, few enough that arguments and results
# fit into memory.
AHEAD = 2


class Crew(NamedTuple):
    """Who does the work.

    Attributes:
        executor: Runs functions elsewhere.
        size: How many at the same time.
        send: Sends a value to all processes once; returns what calls are given in its place. None
            where the processes are of this machine.
    """

    executor: Executor
    size: int
    send: Callable[[Any], Any] | None = None

    def run(self, function: Callable[..., None], calls: Sequence[tuple[Any, ...]]) -> None:
        """Make all the calls; the first error ends it, and what has not begun is not begun."""
        waiting = [self.executor.submit(function, *call) for call in calls]
        try:
            for future in waiting:
                future.result()
        finally:
            for future in waiting:
                future.cancel()

    def results(self, function: Callable[..., R], calls: Iterable[tuple[Any, ...]]) -> Iterator[R]:
        """Yield what calls return, in their order; a few are under way at a time."""
        running: deque[Future[R]] = deque()
        try:
            for call in calls:
                running.append(self.executor.submit(function, *call))
                if len(running) >= AHEAD * self.size:
                    yield running.popleft().result()
            while running:
                yield running.popleft().result()
        finally:
            for future in running:
                future.cancel()

    def share(self, here: T, elsewhere: Callable[[], T]) -> T:
        """Return what calls are given for a value that all of them need.

        Args:
            here: What a process of this machine can use, such as the path of a file.
            elsewhere: Makes what can be used on another machine, such as the file's content.
        """
        sent: T = here if self.send is None else self.send(elsewhere())
        return sent


# Opens a crew when there is enough work for one.
OpenCrew = Callable[[], AbstractContextManager[Crew]]


def cluster_crew() -> OpenCrew | None:
    """Return what opens the cluster that TEMPER_DASK names; None where it names none."""
    address = Settings().dask
    return None if address is None else partial(dask_crew, address)


def crew_of_settings() -> OpenCrew | None:
    """Return what opens the cluster, or the processes of this machine, that the environment names.

    None where a stage is to work by itself.
    """
    processes = Settings().processes
    return cluster_crew() or (partial(local_crew, processes) if processes > 1 else None)


@contextmanager
def local_crew(size: int) -> Iterator[Crew]:
    """Start processes on this machine.

    Raises:
        EngineError: One of them died.
    """
    with ProcessPoolExecutor(size, mp_context=get_context("spawn")) as executor:
        try:
            yield Crew(executor, size)
        except BrokenProcessPool as error:
            raise EngineError(
                f"One of {size} processes that share the work died ({error}), often for lack of "
                "memory. Use fewer and run again: what is finished is kept."
            ) from error


@contextmanager
def dask_crew(address: str) -> Iterator[Crew]:
    """Use the workers of a Dask scheduler.

    Args:
        address: Where the scheduler listens, such as tcp://host:8786.

    Raises:
        ConfigError: Dask is not installed, no scheduler with a worker answers there, or a worker
            has other versions than this machine.
        EngineError: The cluster was lost.
    """
    try:
        from distributed import Client
        from distributed.scheduler import KilledWorker
    except ImportError as error:
        raise ConfigError(
            f"Dask is not installed ({error}). Install the extra: pip install 'temper[scale]'."
        ) from error
    try:
        client = Client(address, timeout=TIMEOUT, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"No Dask scheduler answers at {address!r}: {error}. Start one with `dask scheduler` "
            "and workers with `dask worker ADDRESS --nthreads 1`."
        ) from error
    with client:
        size = sum(client.nthreads().values())
        if not size:
            raise ConfigError(f"The Dask scheduler at {address!r} has no worker. Start some.")
        _require_same_versions(client, address)
        executor = client.get_executor(retries=RETRIES, pure=False)
        try:
            yield Crew(executor, size, partial(client.scatter, broadcast=True, hash=False))
        except (KilledWorker, CancelledError) as error:
            raise EngineError(
                f"The Dask cluster at {address!r} lost work: {error}. See the workers' logs (often "
                "too little memory) and run again: what is finished is kept."
            ) from error


def _require_same_versions(client: Any, address: str) -> None:
    """Refuse workers that may make other rows than this machine would.

    Raises:
        ConfigError: One has other versions, or no Temper.
    """
    ours = machine_versions()
    try:
        told = client.run(machine_versions)
    except ImportError as error:
        raise ConfigError(
            f"A worker of the Dask scheduler at {address!r} has no Temper: {error}. Install the "
            "same version there, with the extra `scale`."
        ) from error
    for worker, theirs in told.items():
        other = [
            f"{name} {theirs[name]}, here {ours[name]}"
            for name in ours
            if theirs.get(name) != ours[name]
        ]
        if other:
            raise ConfigError(
                f"The Dask worker {worker} has other versions, so that it might make other rows: "
                f"{'; '.join(other)}. Install the same there (requirements.lock)."
            )
