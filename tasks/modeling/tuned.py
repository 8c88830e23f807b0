"""Tuned models on disk: found by fingerprint, loaded onto their base."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field, ValidationError

from data_contracts.base import Result, digest, file_sha256
from data_contracts.errors import ModelError
from data_contracts.results import BaseModelRef, ModelRef, TrainingResult
from tasks.modeling.base_model import load_model, load_tokenizer

if TYPE_CHECKING:
    from torch import nn
    from transformers import PreTrainedTokenizerBase

    from tasks.training.method import TrainingMethod

MANIFEST = "manifest.json"
WEIGHTS = "weights"
RESULT = "training.json"


class ModelManifest(Result):
    """What is known about a tuned model; written last, so its existence means complete."""

    fingerprint: str
    parents: dict[str, str]
    base: BaseModelRef
    method: dict[str, Any]
    config: dict[str, Any]
    files: dict[str, str]
    base_files: dict[str, str] = Field(default_factory=dict)  # of the base, when training began
    template: str = ""  # digest of what training put around a question and an answer
    created: str

    @property
    def examples(self) -> str:
        """Content hash of the dataset it was trained on; equal rows are equal, however made."""
        return self.parents.get("examples", "")


def model_folder(home: Path, fingerprint: str) -> Path:
    """Return the folder in which a tuned model lies or will lie."""
    return home / "models" / "tuned" / fingerprint


def read_model_manifest(folder: Path) -> ModelManifest:
    """Read a tuned model's manifest.

    Raises:
        ModelError: There is none: this is no model of Temper's, or it was never finished.
    """
    try:
        return ModelManifest.model_validate_json((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValidationError) as error:
        raise ModelError(
            f"{folder} is not a finished model of Temper's: {MANIFEST} is missing or not valid. "
            "Run `temper train` to make one."
        ) from error


def find_model(home: Path, fingerprint: str) -> ModelRef | None:
    """Return the complete model of that fingerprint, or None; damaged ones count as absent."""
    folder = model_folder(home, fingerprint)
    if not (folder / MANIFEST).is_file():
        return None
    manifest = read_model_manifest(folder)
    for name, sha256 in manifest.files.items():
        path = folder / name
        if not path.is_file() or file_sha256(path) != sha256:
            return None
    return model_reference(folder)


def model_reference(folder: Path) -> ModelRef:
    """Return the pointer to the finished model in `folder`."""
    manifest = read_model_manifest(folder)
    method = str(manifest.method["method"])
    return ModelRef(
        fingerprint=manifest.fingerprint, folder=folder, method=method, base=manifest.base
    )


def base_files(base: BaseModelRef) -> dict[str, str]:
    """Return the digest of a base model's configuration and of each of its weight files."""
    files = [base.folder / "config.json", *sorted(base.folder.glob("*.safetensors"))]
    return {path.name: file_sha256(path) for path in files if path.is_file()}


def template_digest(model: ModelRef) -> str:
    """Return a digest of the text that a tuned model's tokenizer makes of a conversation.

    Raises:
        ModelError: The tokenizer cannot be loaded.
    """
    tokenizer = load_tokenizer(model.base.model_copy(update={"folder": model.folder}))
    probe = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    return digest(
        [
            tokenizer.apply_chat_template(probe, tokenize=False),
            tokenizer.apply_chat_template(probe[:1], tokenize=False, add_generation_prompt=True),
        ],
        length=32,
    )


def read_training_result(model: ModelRef) -> TrainingResult:
    """Read how the training of a finished model went."""
    text = (model.folder / RESULT).read_text(encoding="utf-8")
    return TrainingResult.model_validate_json(text)


def training_method(model: ModelRef) -> "TrainingMethod":
    """Return the method that trained a model, with its options."""
    from tasks.training.method import METHODS

    manifest = read_model_manifest(model.folder)
    return METHODS.get(model.method).model_validate(manifest.method)


def load_tuned(ref: ModelRef) -> "tuple[nn.Module, PreTrainedTokenizerBase]":
    """Load a tuned model and its tokenizer, ready to evaluate.

    Raises:
        ModelError: Base or tuned weights cannot be loaded.
    """
    method = training_method(ref)
    base = load_model(ref.base, **method.base_options())
    model = method.load(base, ref.folder / WEIGHTS)
    tokenizer = load_tokenizer(ref.base.model_copy(update={"folder": ref.folder}))
    return model.eval(), tokenizer


def load_any(ref: BaseModelRef | ModelRef) -> "tuple[nn.Module, PreTrainedTokenizerBase]":
    """Load a base or a tuned model and its tokenizer.

    Raises:
        ModelError: Weights or tokenizer cannot be loaded.
    """
    if isinstance(ref, ModelRef):
        return load_tuned(ref)
    return load_model(ref), load_tokenizer(ref)
