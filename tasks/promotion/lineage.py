"""Whether the model that was judged is the one that was trained, on the base it was trained on."""

from pathlib import Path

from data_contracts.base import file_sha256
from data_contracts.dataset import DatasetRef, read_manifest
from data_contracts.results import Lineage, ModelRef
from tasks.modeling.tuned import base_files, read_model_manifest, template_digest


def check_lineage(model: ModelRef, base_scores: DatasetRef, tuned_scores: DatasetRef) -> Lineage:
    """Compare a tuned model with what its manifest says of it, and with what was measured.

    Args:
        model: The tuned model.
        base_scores: Predictions of its base.
        tuned_scores: Its own predictions.

    Raises:
        ModelError: The model has no manifest, or its tokenizer cannot be loaded.
    """
    manifest = read_model_manifest(model.folder)
    base, tuned = (read_manifest(Path(ref.folder)).parents for ref in (base_scores, tuned_scores))
    damaged = [
        name
        for name, sha256 in manifest.files.items()
        if not (model.folder / name).is_file() or file_sha256(model.folder / name) != sha256
    ]
    checks = {
        "weights and tokenizer are those that training wrote": not damaged,
        "the tuned model's predictions are this model's": tuned.get("model") == model.fingerprint,
        "the base's predictions are this base's": base.get("model") == model.base.measured_as
        and manifest.parents["base"] == model.base.fingerprint,
        "both predictions are of the same rows": base.get("examples") == tuned.get("examples"),
    }
    if manifest.base_files:  # models of earlier versions do not say
        same = base_files(model.base) == manifest.base_files
        checks["the base is the one that was trained on"] = same
        same = template_digest(model) == manifest.template
        checks["the chat template is the one of training"] = same
    return Lineage(checks=checks)
