"""Files that the workers of a cluster parse: each in processes of its own, as here."""

import platform
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain

from data_contracts.errors import ConfigError
from tasks.crew import OpenCrew
from tasks.ingestion.basis import parsing_basis
from tasks.ingestion.config import IngestionConfig
from tasks.ingestion.document import Row
from tasks.ingestion.isolation import ParserPool
from tasks.ingestion.worker import Job

# What a worker is given at a time. Its parsing process takes about a second to start, a file some
# 50 ms.
MOST_FILES, MOST_BYTES = 128, 16_000_000


def parse_on_cluster(
    jobs: Iterable[Job], config: IngestionConfig, basis: str, open_crew: OpenCrew
) -> Iterator[tuple[Job, list[Row]]]:
    """Yield each job, its content left out, with its rows.

    The cluster is asked for with the first job: where all files are known already, none is needed.

    Args:
        jobs: The files with their bytes; workers need not see where these came from.
        config: Options.
        basis: What the rows depend on here; the same is demanded there.
        open_crew: Opens the cluster.

    Raises:
        ConfigError: The cluster cannot be had, or would make other rows.
        DocumentsError: A process cannot be started there.
        EngineError: The cluster was lost.
    """
    batches = _batches(jobs)
    first = next(batches, None)
    if first is None:
        return
    with open_crew() as crew:
        calls = ((batch, config, basis) for batch in chain([first], batches))
        for done in crew.results(parse_batch, calls):
            yield from done


def parse_batch(
    jobs: Sequence[Job], config: IngestionConfig, basis: str
) -> list[tuple[Job, list[Row]]]:
    """Return each job, its content left out, with its rows; this runs on a worker.

    Raises:
        ConfigError: The rows would be others than where the jobs come from.
    """
    if parsing_basis(config) != basis:
        raise ConfigError(
            f"The Dask worker on {platform.node()} would read documents otherwise than this "
            "machine: its TEMPER_SCRUBBING_KEY, a parser's version or Temper's own differ. Start "
            "it with the same environment."
        )
    pool = ParserPool(config.model_copy(update={"workers": 1}))
    return [(replace(job, content=b""), rows) for job, rows in pool.run(jobs)]


def _batches(jobs: Iterable[Job]) -> Iterator[list[Job]]:
    batch: list[Job] = []
    size = 0
    for job in jobs:
        if batch and (len(batch) >= MOST_FILES or size + len(job.content) > MOST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(job)
        size += len(job.content)
    if batch:
        yield batch
