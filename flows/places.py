"""Where the places that a profile names lie: its own paths are relative to the profile."""

from pathlib import Path
from typing import Any


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
