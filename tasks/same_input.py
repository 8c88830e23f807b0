"""A dataset that was made from the same rows under other names is not made again.

A fingerprint names what a dataset descends from. Where a document changed and no row of a stage
did, the next stage's fingerprint is new and its result is not: it is linked, byte for byte, with
a manifest that names the new parents.
"""

import os
import shutil
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from data_contracts.dataset import (
    MANIFEST,
    DatasetRef,
    Manifest,
    commit,
    find_dataset,
    wherever_asked,
)
from data_contracts.schemas import SCHEMA_VERSION
from tasks.versions.find import Version, list_versions


def reuse_same_input(
    home: Path,
    stage: str,
    stage_version: int,
    options: Mapping[str, Any],
    parents: Mapping[str, str],
    fingerprint: str,
) -> DatasetRef | None:
    """Store an equal dataset under a new fingerprint; None if there is none to be had.

    Args:
        home: Temper's home.
        stage: Name of the stage.
        stage_version: Its version.
        options: Its configuration.
        parents: Role of each input to its fingerprint, or another value.
        fingerprint: Of the dataset that is wanted.
    """
    contents = {v.manifest.fingerprint: v.manifest.content_sha256 for v in list_versions(home)}
    wanted = _contents(parents, contents)
    if wanted == dict(parents):  # it has no dataset for a parent: nothing to compare
        return None
    for version in reversed(list_versions(home, stage)):
        made = version.manifest
        same = (made.stage_version, made.schema_version) == (stage_version, SCHEMA_VERSION)
        if (
            same
            and not made.unanswered
            and wherever_asked(made.config) == wherever_asked(options)
            and _contents(made.parents, contents) == wanted
        ):
            if find_dataset(home, stage, made.fingerprint) is None:  # damaged
                continue
            return _linked(home, version, parents, fingerprint)
    return None


def _contents(parents: Mapping[str, str], contents: Mapping[str, str]) -> dict[str, str]:
    return {role: contents.get(value, value) for role, value in parents.items()}


def _linked(
    home: Path, version: Version, parents: Mapping[str, str], fingerprint: str
) -> DatasetRef:
    staged = Path(tempfile.mkdtemp(prefix=f".{fingerprint[:8]}-", dir=version.folder.parent))
    for path in version.folder.iterdir():
        if path.name != MANIFEST:
            _link(path, staged / path.name)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    changes = {"fingerprint": fingerprint, "parents": dict(parents), "created": now}
    manifest: Manifest = version.manifest.model_copy(update={**changes, "seconds": 0.0})
    return commit(staged, home, manifest)


def _link(source: Path, target: Path) -> None:
    """Link a file that is never written to again; copy it where links are not possible."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
