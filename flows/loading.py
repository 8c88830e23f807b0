"""Loads what every run needs, all at once, while the run would wait for Prefect's server anyway."""

from flows.garbage import loaded_to_stay
from tasks.settings import Settings


def load_what_runs_use(settings: Settings, checks: bool) -> None:
    """Load MLflow, with its tables, and Great Expectations where rows may be checked."""
    from data_contracts.validation import load_expectations
    from tasks.tracking import connect

    with loaded_to_stay():
        connect(settings.resolved_tracking_uri)
        if checks:
            load_expectations()
