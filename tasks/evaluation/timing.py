"""What a part of the evaluation took: wall time, and processor time of the whole process."""

import time
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager

WALL, PROCESSOR = "seconds", "processor_seconds"


@contextmanager
def timed(figures: MutableMapping[str, float], part: str) -> Iterator[None]:
    """Write into the figures how long the body took."""
    started, spent = time.monotonic(), time.process_time()
    yield
    figures[f"{WALL}.{part}"] = round(time.monotonic() - started, 2)
    figures[f"{PROCESSOR}.{part}"] = round(time.process_time() - spent, 2)
