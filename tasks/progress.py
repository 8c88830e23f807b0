"""Progress: a bar on a terminal, a plain line now and then elsewhere."""

import logging
import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")

logger = logging.getLogger(__name__)

# Often enough to see that it lives, seldom enough to keep a night's log readable.
SECONDS_BETWEEN_LINES = 15.0


def track(items: Iterable[T], what: str, total: int) -> Iterator[T]:
    """Yield the items while showing how many of `total` are done.

    Args:
        items: What is worked on.
        what: What the items are, e.g. "Generating from documents".
        total: How many there are.
    """
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import track as rich_track

        console = Console(stderr=True)
        yield from rich_track(items, description=what, total=total, console=console)
        return
    last = time.monotonic()
    for done, item in enumerate(items, start=1):
        yield item
        if time.monotonic() - last >= SECONDS_BETWEEN_LINES:
            last = time.monotonic()
            logger.info("%s: %d of %d", what, done, total)
