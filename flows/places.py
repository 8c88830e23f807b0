"""Where the places that a profile names lie, and whether runs may read there.

A profile's own paths are relative to the profile.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_contracts.errors import ConfigError
from tasks.modeling.base_model import EMBEDDED

if TYPE_CHECKING:
    from flows.config import PipelineConfig


def place(values: dict[str, Any], folder: Path, documents: bool) -> None:
    """Make the places in a profile's values absolute, in these values.

    Args:
        values: As read from the profile.
        folder: Where the profile lies.
        documents: Whether `documents` stands in the profile too, and not on the command line.
    """
    if documents and values.get("documents") is not None:
        values["documents"] = _placed(values["documents"], folder)
    for source in _sources(values):
        source["path"] = _placed(source["path"], folder)
    _place_benchmarks(values, folder)
    _place_sets(values, folder)


def _placed(place: Any, folder: Path) -> Any:
    """Return places as they are from here: a profile's own are relative to the profile."""
    if isinstance(place, list):
        return [_placed(part, folder) for part in place]
    if "://" in str(place):
        return str(place)
    return str((folder / Path(str(place)).expanduser()).resolve())


def _sources(values: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the sources of existing datasets that a profile names with a path."""
    sections = [values.get(name) for name in ("datasets", "general")]
    found = [part.get("sources") for part in sections if isinstance(part, dict)]
    listed = [source for sources in found if isinstance(sources, list) for source in sources]
    return [source for source in listed if isinstance(source, dict) and "path" in source]


def _place_benchmarks(values: dict[str, Any], folder: Path) -> None:
    curation = values.get("curation")
    if isinstance(curation, dict) and isinstance(curation.get("benchmarks"), list):
        curation["benchmarks"] = _placed(curation["benchmarks"], folder)


def _place_sets(values: dict[str, Any], folder: Path) -> None:
    continual = values.get("continual")
    if isinstance(continual, dict) and isinstance(continual.get("sets"), dict):
        placed = {name: _placed(place, folder) for name, place in continual["sets"].items()}
        continual["sets"] = placed


def check_places(config: "PipelineConfig", allowed: Sequence[str]) -> None:
    """Refuse a configuration that reads where the machine's owner lets no run read.

    Args:
        config: The configuration, its places absolute.
        allowed: Folders and beginnings of addresses (`s3://handbooks/`); none for anywhere.

    Raises:
        ConfigError: It names a place outside.
    """
    for named in _named(config):
        check_place(named, allowed)


def check_place(named: str, allowed: Sequence[str]) -> None:
    """Refuse one place; see `check_places`."""
    if allowed and not any(_lies_in(named, root) for root in allowed):
        raise ConfigError(
            f"Runs on this machine may not read {named}: TEMPER_MAY_READ lets them read "
            f"{', '.join(allowed)} and nothing else. Bring the files there, or ask whoever "
            "runs the workers."
        )


def _named(config: "PipelineConfig") -> Iterator[str]:
    """Yield every place that a configuration reads from, as it is named."""
    several = [config.documents or (), config.curation.benchmarks, *config.continual.sets.values()]
    for places in several:
        yield from [places] if isinstance(places, str) else places
    for datasets in (config.datasets, config.general):
        yield from (source.path for source in datasets.sources)
    if config.evaluation.general_folder is not None:
        yield str(config.evaluation.general_folder)
    if config.base_model != EMBEDDED:
        yield config.base_model


def _lies_in(named: str, root: str) -> bool:
    if "://" in named or "://" in root:
        return named.startswith(root.rstrip("/") + "/") and ".." not in named
    return Path(named).expanduser().resolve().is_relative_to(Path(root).expanduser().resolve())
