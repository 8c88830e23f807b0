"""Datasets that lack replies of a language model: used, but not taken for finished.

Such a dataset has a fingerprint of its own, so that the next run does not find it under the name
of the finished one, and so that nothing made from it is taken for made from the finished one.
"""

from pathlib import Path

from data_contracts.base import digest
from data_contracts.dataset import DatasetRef, Manifest, dataset_fingerprint, find_dataset
from data_contracts.schemas import SCHEMA_VERSION
from tasks.versions.find import list_versions


def unfinished_fingerprint(fingerprint: str, unanswered: int, content: str) -> str:
    """Return the name of a dataset that lacks replies.

    Args:
        fingerprint: Of the dataset once it is finished.
        unanswered: Requests without a reply.
        content: Digest of the rows that there are.
    """
    return digest([fingerprint, unanswered, content], length=32)


def find_unfinished(home: Path, stage: str, fingerprint: str) -> DatasetRef | None:
    """Return the dataset that lacks the fewest replies of one that is to be finished.

    Args:
        home: Temper's home.
        stage: Name of the stage.
        fingerprint: Of the dataset once it is finished.
    """
    made = [version.manifest for version in list_versions(home, stage)]
    tries = [m for m in made if m.unanswered and _once_finished(m) == fingerprint]
    for manifest in sorted(tries, key=lambda m: m.unanswered):
        ref = find_dataset(home, stage, manifest.fingerprint)
        if ref is not None:  # else it is damaged
            return ref
    return None


def _once_finished(manifest: Manifest) -> str | None:
    if manifest.schema_version != SCHEMA_VERSION:
        return None
    return dataset_fingerprint(
        manifest.stage, manifest.stage_version, manifest.config, manifest.parents
    )
