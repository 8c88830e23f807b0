"""The command `temper` as a benchmark runs it: in a process of its own, answered in JSON."""

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any


def temper(*words: str, settings: Sequence[str] = ()) -> Any:
    """Run the command and return what it answers; its lines go to the terminal.

    Args:
        words: The verb and what follows it.
        settings: Overrides such as `training.epochs=2`.

    Raises:
        CalledProcessError: It failed; it has said why above.
    """
    command = [sys.executable, "-m", "flows.cli", *words, "--json"]
    command += [part for setting in settings for part in ("--set", setting)]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)
