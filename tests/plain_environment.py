"""The environment of a process that a test starts."""

import os

from flows.orphans import MARK


def plain_environment(**more: str) -> dict[str, str]:
    """Return the environment without what other tests of this process left in it.

    Settings of Prefect and MLflow lead to servers and stores of earlier tests, and the mark of a
    run would make the new one a part of it.
    """
    left = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PREFECT_", "MLFLOW_")) and name != MARK
    }
    return {**left, **more}
