"""Loads what every run needs, all at once, while the run would wait for Prefect's server anyway."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from tasks.settings import Settings


def load_what_runs_use(settings: Settings, checks: bool) -> None:
    """Load MLflow, with its tables, and Great Expectations where rows may be checked."""
    from data_contracts.validation import load_expectations
    from tasks.tracking import connect

    with loaded_to_stay():
        connect(settings.resolved_tracking_uri)
        if checks:
            load_expectations()


@contextmanager
def loaded_to_stay() -> Iterator[None]:
    """Spare the search for garbage what the body loads: it stays until the process ends.

    Python looks through all objects again whenever there are a quarter more of them; the half
    million of these libraries cost a second while they load, and as much in the run that follows.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
        gc.collect()  # what loading left behind must not stay
        gc.freeze()
    finally:
        if enabled:
            gc.enable()
