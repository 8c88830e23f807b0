"""What must be set in the environment before Prefect, MLflow and the model libraries load."""

import logging
import os
import shutil
import sys

from data_contracts.errors import StorageError
from tasks.settings import Settings

# Below this, Prefect's server does not even start, and says nothing that helps.
BYTES_NEEDED = 50_000_000

# Names of our loggers; Prefect sends what they say to its UI.
_LOGGERS = ("flows", "tasks")


def prepare_environment(settings: Settings) -> None:
    """Make the home folder; set defaults that make a run quiet and self-contained.

    A variable that is set already is left alone. Call it before importing Prefect.

    Raises:
        StorageError: The home folder cannot be made, or its disk is full.
    """
    try:
        settings.resolved_home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"Cannot make the folder {settings.resolved_home} ({error.strerror}). Set TEMPER_HOME "
            "to a folder you may write to."
        ) from error
    free = shutil.disk_usage(settings.resolved_home).free
    if free < BYTES_NEEDED:
        raise StorageError(
            f"Only {free / 1e6:.0f} MB are free for {settings.resolved_home}; the databases of "
            f"Prefect and MLflow alone need {BYTES_NEEDED / 1e6:.0f}. Free disk space or set "
            "TEMPER_HOME to another disk."
        )
    defaults = {
        # Prefect keeps its history beside our data, not in the user's home.
        "PREFECT_HOME": str(settings.resolved_home / "prefect"),
        # A cold start of the temporary server can take longer than its default of 20 s.
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_LOGGING_LEVEL": "WARNING",
        # What stages say goes to the terminal by `log_to_terminal`; errors are told once, by
        # the command. Prefect's UI still gets everything: `log_to_prefect`.
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
        "PREFECT_LOGGING_EXTRA_LOGGERS": ",".join(_LOGGERS),
        # A stage's function called by itself, as in a notebook after a run, has no page to log to.
        "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
        "GX_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        # On a machine that does other things too, threads that spin while they wait take the
        # processor from the thread they wait for: training ran at 28 tokens/s instead of 90.
        "OMP_WAIT_POLICY": "passive",
        "TOKENIZERS_PARALLELISM": "false",
        "TRANSFORMERS_VERBOSITY": "error",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    }
    for name, value in defaults.items():
        os.environ.setdefault(name, value)


def log_to_terminal(verbose: bool = False) -> None:
    """Show what stages say, one plain line each, on standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s  %(message)s", datefmt="%H:%M:%S"))
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG if verbose else logging.INFO)
        logger.propagate = False


def log_to_prefect() -> None:
    """Show what stages say on a run's page, also in a process that a worker started for the run.

    Prefect takes what our loggers let through, and they let through warnings alone unless told.
    """
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        if logger.level == logging.NOTSET:
            logger.setLevel(logging.INFO)
