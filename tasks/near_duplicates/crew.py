"""Processes that share a folder: on this machine, or of a Dask cluster (extra `scale`)."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any, NamedTuple

from data_contracts.errors import ConfigError, EngineError

# Seconds to wait for a scheduler to answer.
TIMEOUT = 20

# A task whose worker died is given to another so often.
RETRIES = 3


class Crew(NamedTuple):
    """Who does the work.

    Attributes:
        executor: Runs functions elsewhere.
        size: How many at the same time.
    """

    executor: Executor
    size: int

    def run(self, function: Callable[..., None], calls: Sequence[tuple[Any, ...]]) -> None:
        """Make all the calls; the first error ends it, and what has not begun is not begun."""
        waiting = [self.executor.submit(function, *call) for call in calls]
        try:
            for future in waiting:
                future.result()
        finally:
            for future in waiting:
                future.cancel()


@contextmanager
def local_crew(size: int) -> Iterator[Crew]:
    """Start processes on this machine."""
    with ProcessPoolExecutor(size, mp_context=get_context("spawn")) as executor:
        yield Crew(executor, size)


@contextmanager
def dask_crew(address: str) -> Iterator[Crew]:
    """Use the workers of a Dask scheduler. All see the search's folder and files by one path.

    Args:
        address: Where the scheduler listens, such as tcp://host:8786.

    Raises:
        ConfigError: Dask is not installed, or no scheduler with a worker answers there.
        EngineError: The cluster was lost.
    """
    try:
        from distributed import Client
        from distributed.client import FutureCancelledError
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
        try:
            yield Crew(client.get_executor(retries=RETRIES, pure=False), size)
        except (KilledWorker, FutureCancelledError) as error:
            raise EngineError(
                f"The Dask cluster at {address!r} lost work: {error}. See the workers' logs (often "
                "too little memory) and run again: what is finished is kept."
            ) from error
