"""A tuned tiny model: a LoRA adapter that changes what the base says."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from data_contracts.results import ModelRef
from tasks.modeling.base_model import load_model, load_tokenizer
from tasks.modeling.tuned import MANIFEST, WEIGHTS, ModelManifest, model_reference
from tasks.training.method import TrainingMethod
from tasks.training.methods.lora import Lora
from tests.tiny_models import tiny_base

Tuned = Callable[..., ModelRef]


def disturb(model: torch.nn.Module) -> None:
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter += 0.1 * torch.randn_like(parameter)


def write_tuned(
    folder: Path, architecture: str, method: TrainingMethod, template: str | None = None
) -> ModelRef:
    base = tiny_base(folder / "base", architecture)
    torch.manual_seed(0)
    model = method.prepare(load_model(base, **method.base_options()))
    disturb(model)
    tuned = folder / "models" / "tuned" / ("a" * 32)
    tuned.mkdir(parents=True)
    method.save(model, tuned / WEIGHTS)
    tokenizer = load_tokenizer(base)
    if template:
        tokenizer.chat_template = template
    tokenizer.save_pretrained(tuned)
    manifest = ModelManifest(
        fingerprint="a" * 32,
        parents={},
        base=base,
        method=method.model_dump(),
        config={},
        files={},
        created="",
    )
    (tuned / MANIFEST).write_text(manifest.model_dump_json())
    return model_reference(tuned)


@pytest.fixture
def tuned(tmp_path: Path) -> Tuned:
    def make(architecture: str = "gemma3", method: TrainingMethod | None = None) -> ModelRef:
        return write_tuned(tmp_path, architecture, method or Lora(rank=4, alpha=8))

    return make


@pytest.fixture(scope="session")
def gemma(tmp_path_factory: pytest.TempPathFactory) -> ModelRef:
    """One that no test changes."""
    return write_tuned(tmp_path_factory.mktemp("gemma"), "gemma3", Lora(rank=4, alpha=8))
