"""Finds datasets in a home folder: by folder, by fingerprint, by what they were made from."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from data_contracts.dataset import MANIFEST, Manifest, read_kept, read_manifest, reference
from data_contracts.errors import ConfigError, DatasetError

_FINGERPRINT = re.compile(r"(?:(?P<stage>[a-z_]+)/)?(?P<prefix>[0-9a-f]{4,32})")


@dataclass(frozen=True)
class Version:
    """One complete dataset.

    Attributes:
        folder: Where it lies.
        manifest: What is known about it.
    """

    folder: Path
    manifest: Manifest


# Stages whose datasets models train on.
FINISHED = ("augmentation", "withdrawal")


def list_versions(home: Path, *stages: str) -> list[Version]:
    """Return the complete datasets of a home folder, the newest last.

    Folders whose manifest is of another version of Temper are left out.

    Args:
        home: Temper's home.
        stages: Only datasets of these stages, if any are named.
    """
    patterns = [f"{stage}/*/{MANIFEST}" for stage in stages or ("*",)]
    folders = [path.parent for p in patterns for path in (home / "datasets").glob(p)]
    found = [version for folder in folders for version in _readable(folder)]
    return sorted(found, key=lambda v: (v.manifest.created, v.manifest.stage, v.folder.name))


def find_version(home: Path, name: str) -> Version | None:
    """Return the dataset of that name; None if the name is neither a folder nor a fingerprint.

    Args:
        home: Temper's home.
        name: Folder of a dataset, or the start of a fingerprint, also as `stage/fingerprint`.

    Raises:
        ConfigError: More than one dataset begins like that.
        DatasetError: The folder holds no complete dataset.
    """
    folder = Path(name).expanduser()
    if folder.is_dir() and (folder / MANIFEST).is_file():
        return Version(folder, read_manifest(folder))
    match = _FINGERPRINT.fullmatch(name)
    if match is None:
        return None
    versions = list_versions(home, *filter(None, [match["stage"]]))
    found = [v for v in versions if v.manifest.fingerprint.startswith(match["prefix"])]
    if len(found) > 1:
        names = ", ".join(f"{v.manifest.stage}/{v.manifest.fingerprint[:12]}" for v in found)
        raise ConfigError(f"{name!r} is the start of several datasets: {names}. Write more of it.")
    return found[0] if found else None


def with_content(home: Path, content: str) -> Version | None:
    """Return the first dataset with these rows, one that models train on if there is one."""
    found = [v for v in list_versions(home) if v.manifest.content_sha256 == content]
    finished = [v for v in found if v.manifest.stage in FINISHED]
    return next(iter([*finished, *found]), None)


def ancestors(home: Path, version: Version) -> list[Version]:
    """Return what a dataset was made from, what was made from that, and so on, then itself.

    Versions that were deleted since are left out.
    """
    known = {v.manifest.fingerprint: v for v in list_versions(home)}
    return list(_made_before(version, known, set()))


def _made_before(
    version: Version, known: Mapping[str, Version], seen: set[str]
) -> Iterator[Version]:
    """Yield parents before children, each once."""
    seen.add(version.manifest.fingerprint)
    for name in version.manifest.parents.values():
        if name in known and name not in seen:
            yield from _made_before(known[name], known, seen)
    yield version


def documents_in(version: Version) -> int | None:
    """Return how many documents the rows of a dataset come from; None if they name none."""
    table = read_kept(reference(version.folder, version.manifest))
    if "document_id" not in table.column_names:
        return None
    return len(table["document_id"].unique())


def _readable(folder: Path) -> Iterator[Version]:
    try:
        yield Version(folder, read_manifest(folder))
    except DatasetError:
        return
