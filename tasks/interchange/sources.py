"""Which files a dataset source consists of, and what its folder says about them."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from data_contracts.base import digest, file_sha256
from data_contracts.errors import ConfigError, DatasetError, UnknownName
from tasks.interchange.config import DatasetSource

_SUFFIXES = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet", ".arrow")
_PACKED = (".gz", ".zst", ".bz2")
_STATE = "state.json"
# What `datasets` and others lay beside the data.
_NOT_DATA = ("dataset_info.json", "dataset_infos.json", "dataset_dict.json", _STATE)
# Names of splits, as they stand in the names of files and folders.
_SPLITS = {
    "train": "train", "training": "train",
    "validation": "validation", "valid": "validation", "val": "validation", "dev": "validation",
    "test": "test", "testing": "test", "eval": "test", "evaluation": "test",
}  # fmt: skip


@dataclass(frozen=True)
class DatasetFile:
    """One file of a source.

    Attributes:
        name: The source's name and the path within it, as rows name it.
        path: Where it lies.
        split: The split that the source itself puts it into.
    """

    name: str
    path: Path
    split: str | None


def source_files(source: DatasetSource, folder: Path) -> list[DatasetFile]:
    """Return the files of a source, sorted by name.

    Args:
        source: The source.
        folder: Where it lies on this machine; a file or a folder.

    Raises:
        DatasetError: There is no such path, or no dataset in it.
        ConfigError: The dataset card names several subsets and the source none of them.
    """
    if folder.is_file():
        return [DatasetFile(folder.name, folder, _split_in(PurePosixPath(folder.name)))]
    if not folder.is_dir():
        raise DatasetError(
            f"There is no dataset {folder}. Check the path of the source; it is taken from "
            f"{Path.cwd()} if it does not begin with a slash."
        )
    found = sorted(_saved(folder) or _listed(folder, source.subset) or _all(folder))
    if not found:
        raise DatasetError(
            f"There is no dataset in {folder}. Looked for files ending in "
            f"{', '.join(_SUFFIXES)}, each also compressed."
        )
    label = PurePosixPath(source.path.rstrip("/")).name.partition("@")[0]
    return [
        DatasetFile(f"{label}/{relative}", folder / relative, split) for relative, split in found
    ]


def files_digest(files: Sequence[Sequence[DatasetFile]]) -> str:
    """Return a hash of what the files of all sources hold, not of where they lie."""
    listed = [[(f.name, f.split, file_sha256(f.path)) for f in of_source] for of_source in files]
    return digest(listed, length=32)


def _saved(folder: Path) -> list[tuple[str, str | None]]:
    """Return what `save_to_disk` wrote: one dataset, or a folder for each split."""
    if (folder / _STATE).is_file():
        return [(name, None) for name in _saved_files(folder)]
    if not (folder / "dataset_dict.json").is_file():
        return []
    return [
        (f"{state.parent.name}/{name}", state.parent.name)
        for state in sorted(folder.glob(f"*/{_STATE}"))
        for name in _saved_files(state.parent)
    ]


def _saved_files(folder: Path) -> list[str]:
    """Return the files of one saved dataset; what else lies there are its library's caches."""
    state = folder / _STATE
    try:
        listed = json.loads(state.read_text(encoding="utf-8"))["_data_files"]
        return [Path(entry["filename"]).name for entry in listed]
    except (ValueError, KeyError, TypeError) as error:
        raise DatasetError(
            f"{state} is not what `save_to_disk` writes: it must list the `_data_files`."
        ) from error


def _listed(folder: Path, subset: str | None) -> list[tuple[str, str | None]]:
    """Return what the front matter of the dataset card lists under `configs`."""
    configs = {str(c.get("config_name", "default")): c for c in _card(folder).get("configs", [])}
    configs = {name: config for name, config in configs.items() if config.get("data_files")}
    if not configs:
        return []
    if subset is None and len(configs) > 1 and "default" not in configs:
        raise ConfigError(
            f"The dataset {folder} has the subsets {', '.join(sorted(configs))}. Set `subset` of "
            "the source to one of them."
        )
    chosen = subset or ("default" if "default" in configs else next(iter(configs)))
    if chosen not in configs:
        raise UnknownName("subset", chosen, configs)
    return sorted(set(_data_files(folder, configs[chosen]["data_files"])))


def _card(folder: Path) -> dict[str, Any]:
    """Return the YAML that stands before a dataset card; empty if there is none."""
    card = folder / "README.md"
    if not card.is_file():
        return {}
    match = re.match(r"---\s*\n(.*?)\n---\s*\n", card.read_text("utf-8", "replace"), re.DOTALL)
    try:
        values = yaml.safe_load(match[1]) if match else {}
    except yaml.YAMLError as error:
        raise DatasetError(f"The front matter of {card} is no YAML: {error}") from error
    return values if isinstance(values, dict) else {}


def card_licence(folder: Path) -> str | None:
    """Return the licence that the dataset card of a folder states."""
    licence = _card(folder).get("license") if folder.is_dir() else None
    return ", ".join(map(str, licence)) if isinstance(licence, list) else licence


def _data_files(folder: Path, given: Any) -> Iterator[tuple[str, str | None]]:
    entries = given if isinstance(given, list) else [{"split": "train", "path": given}]
    for entry in entries:
        entry = {"split": "train", "path": entry} if isinstance(entry, str) else entry
        patterns = entry["path"] if isinstance(entry["path"], list) else [entry["path"]]
        for relative in _paths(folder):
            if any(fnmatchcase(relative, str(pattern)) for pattern in patterns):
                yield relative, str(entry.get("split", "train"))


def _all(folder: Path) -> list[tuple[str, str | None]]:
    return [
        (relative, _split_in(PurePosixPath(relative)))
        for relative in _paths(folder)
        if PurePosixPath(relative).name not in _NOT_DATA
    ]


def _paths(folder: Path) -> Iterator[str]:
    """Yield the data files of a folder; hidden ones are left out."""
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        name = relative.name.lower()
        for packed in _PACKED:
            name = name.removesuffix(packed)
        hidden = any(part.startswith(".") for part in relative.parts)
        if name.endswith(_SUFFIXES) and not hidden and path.is_file():
            yield relative.as_posix()


def _split_in(relative: PurePosixPath) -> str | None:
    """Return the split that a path names, e.g. `data/test-00000-of-00001.parquet`."""
    words = re.split(r"[^a-z]+", str(relative).lower())
    return next((_SPLITS[word] for word in words if word in _SPLITS), None)
