"""Finds the tuned model that a user names, and the questions by which its export is checked."""

import re
from pathlib import Path
from typing import Any

from data_contracts.dataset import read_kept, reference
from data_contracts.errors import ModelError
from data_contracts.results import ModelRef
from tasks.evaluation.general import SHIPPED, read_general
from tasks.modeling.tuned import MANIFEST, find_model, model_reference, read_model_manifest
from tasks.promotion.registry import CHALLENGER, CHAMPION, MODEL_TAG
from tasks.versions.find import with_content

_NAME = re.compile(r"(?:models:/)?(?P<name>[^/@]+)(?:@(?P<alias>[^/@]+)|/(?P<version>\d+))?")

# Rows that were not trained on come first: there the model is the least certain.
_ORDER = {"test": 0, "validation": 1, "train": 2}


def find_tuned(name: str, home: Path, client: Any) -> ModelRef:
    """Return the tuned model of that name.

    Args:
        name: Its folder, its fingerprint, or a registered model: `name` (its champion, else
            its challenger), `name@alias` or `name/version`.
        home: Temper's home.
        client: MLflow's client.

    Raises:
        ModelError: There is no such model, or it is not on this machine.
    """
    folder = Path(name).expanduser()
    if (folder / MANIFEST).is_file():
        return model_reference(folder.resolve())
    found = find_model(home, name) if re.fullmatch(r"[0-9a-f]{32}", name) else None
    return found or _registered(name, home, client)


def _registered(name: str, home: Path, client: Any) -> ModelRef:
    match = _NAME.fullmatch(name)
    version = _version(client, match) if match else None
    if version is None:
        raise ModelError(
            f"{name!r} is no model: neither a folder that `temper train` wrote, nor a fingerprint, "
            "nor a registered model as name, name@champion or name/3."
        )
    fingerprint = version.tags.get(MODEL_TAG, "")
    model = find_model(home, fingerprint) if fingerprint else None
    if model is None:
        raise ModelError(
            f"{name!r} is version {version.version}, but its weights (model {fingerprint or '?'}) "
            f"do not lie in {home}. Export where it was trained, or set TEMPER_HOME."
        )
    return model


def _version(client: Any, match: "re.Match[str]") -> Any:
    from mlflow.exceptions import MlflowException

    aliases = [match["alias"]] if match["alias"] else [CHAMPION, CHALLENGER]
    try:
        if match["version"]:
            return client.get_model_version(match["name"], match["version"])
        known = client.get_registered_model(match["name"]).aliases
    except MlflowException:
        return None
    numbers = [known[alias] for alias in aliases if alias in known]
    return client.get_model_version(match["name"], numbers[0]) if numbers else None


def comparison_rows(model: ModelRef, home: Path) -> list[dict[str, Any]]:
    """Return questions to compare answers by: those of its dataset, test rows first.

    Where the dataset is not on this machine, those of the general skills.
    """
    version = with_content(home, read_model_manifest(model.folder).examples)
    if version is not None:
        rows = read_kept(reference(version.folder, version.manifest)).to_pylist()
        return sorted(rows, key=lambda row: _ORDER.get(row["split"], len(_ORDER)))
    items = read_general(SHIPPED).items
    return [{"question": item.query} for item in sorted(items, key=lambda item: item.item_id)]
