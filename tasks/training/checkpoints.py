"""Checkpoints on disk: find the newest whole one, remove what a crash left half-written."""

import json
import logging
import re
import shutil
from pathlib import Path

logger = logging.getLogger(__name__)

_NAME = re.compile(r"checkpoint-(\d+)$")

# The trainer writes this file last (transformers, Trainer._save_checkpoint).
STATE = "trainer_state.json"


def newest_checkpoint(folder: Path) -> Path | None:
    """Return the newest complete checkpoint below `folder`; incomplete ones are deleted."""
    complete: list[tuple[int, Path]] = []
    for path in folder.glob("checkpoint-*"):
        match = _NAME.search(path.name)
        if match and _is_complete(path):
            complete.append((int(match.group(1)), path))
        else:
            logger.warning("Removing the half-written checkpoint %s", path)
            shutil.rmtree(path)
    return max(complete)[1] if complete else None


def _is_complete(path: Path) -> bool:
    try:
        json.loads((path / STATE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return True
