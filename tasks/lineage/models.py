"""Which tuned models were trained on which datasets."""

from collections.abc import Iterable
from pathlib import Path

from data_contracts.errors import ModelError
from tasks.modeling.tuned import MANIFEST, ModelManifest, read_model_manifest


def models_trained_on(home: Path, fingerprints: Iterable[str]) -> list[ModelManifest]:
    """Return the finished models that name one of the datasets as a parent, the oldest first.

    Args:
        home: Temper's home.
        fingerprints: Of the datasets.
    """
    wanted = set(fingerprints)
    folders = [path.parent for path in (home / "models" / "tuned").glob(f"*/{MANIFEST}")]
    found = [model for folder in folders for model in _readable(folder)]
    trained = [model for model in found if wanted & set(model.parents.values())]
    return sorted(trained, key=lambda model: (model.created, model.fingerprint))


def _readable(folder: Path) -> list[ModelManifest]:
    try:
        return [read_model_manifest(folder)]
    except ModelError:
        return []
