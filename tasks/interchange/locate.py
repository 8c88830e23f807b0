"""Where the sources of a configuration lie on this machine."""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from tasks.interchange.config import DatasetSource, ImportConfig
from tasks.interchange.fetching import on_this_machine
from tasks.interchange.sources import DatasetFile, source_files


@dataclass(frozen=True)
class LocatedSource:
    """A source, where it lies on this machine, and the files it consists of."""

    source: DatasetSource
    folder: Path
    files: tuple[DatasetFile, ...]


def locate(source: DatasetSource, cache: Path) -> LocatedSource:
    """Return a source with its files, downloading it first if it is an address.

    Args:
        source: The source.
        cache: Folder for what is downloaded.

    Raises:
        ConfigError: The address or the subset is not valid.
        DatasetError: The source does not exist or cannot be downloaded.
    """
    folder = on_this_machine(source.path, cache / "downloads")
    return LocatedSource(source, folder, tuple(source_files(source, folder)))


def without_places(config: ImportConfig) -> ImportConfig:
    """Return the configuration with the names of the sources in place of their paths.

    Moving a dataset to another folder must not make its rows anew.
    """
    sources = [source.model_copy(update={"path": named(source)}) for source in config.sources]
    return config.model_copy(update={"sources": tuple(sources)})


def named(source: DatasetSource) -> str:
    """Return an address as it is, and of a path the last part."""
    path = source.path.rstrip("/")
    return path if "://" in path else PurePosixPath(path).name
