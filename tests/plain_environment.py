"""A process that a test starts, and what it finds in the environment."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from flows.orphans import MARK

REPOSITORY = Path(__file__).parents[1]


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


def plain_run(home: Path, *words: str) -> Any:
    """Run a command of Temper with a home of its own and nothing else; return what it tells."""
    ran = subprocess.run(
        [sys.executable, "-m", "flows.cli", *words, "--json"],
        env=plain_environment(TEMPER_HOME=str(home)),
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    return json.loads(ran.stdout)
