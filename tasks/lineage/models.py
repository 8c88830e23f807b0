"""Which tuned models were trained on which datasets."""

from collections.abc import Iterable
from pathlib import Path

from data_contracts.errors import ModelError
from tasks.modeling.tuned import MANIFEST, ModelManifest, read_model_manifest


def tuned_models(home: Path) -> list[ModelManifest]:
    """Return the finished models of a home, the oldest first."""
    folders = [path.parent for path in (home / "models" / "tuned").glob(f"*/{MANIFEST}")]
    found = [model for folder in folders for model in _readable(folder)]
    return sorted(found, key=lambda model: (model.created, model.fingerprint))


def models_trained_on(home: Path, contents: Iterable[str]) -> list[ModelManifest]:
    """Return the finished models that were trained on one of the datasets, the oldest first.

    Args:
        home: Temper's home.
        contents: Content hashes of the datasets, by which models name what they were trained on.
    """
    wanted = set(contents)
    return [model for model in tuned_models(home) if model.examples in wanted]


def _readable(folder: Path) -> list[ModelManifest]:
    try:
        return [read_model_manifest(folder)]
    except ModelError:
        return []
