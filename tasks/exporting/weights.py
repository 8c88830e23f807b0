"""Writes a tuned model's adapter alone, or the whole model with the adapter merged in."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from data_contracts.errors import ExportError
from data_contracts.results import ModelRef
from tasks.modeling.base_model import load_model, load_tokenizer
from tasks.modeling.chat import end_token_ids
from tasks.modeling.tuned import WEIGHTS, training_method

if TYPE_CHECKING:
    from torch import nn
    from transformers import PreTrainedTokenizerBase

TYPES = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}


def write_adapter(model: ModelRef, folder: Path) -> None:
    """Copy the adapter with tokenizer and chat template.

    Raises:
        ExportError: The method wrote a whole model, which is no adapter.
    """
    if (model.folder / WEIGHTS / "config.json").is_file():
        raise ExportError(
            f"A model tuned by {model.method} has no adapter: its weights are a whole model. "
            "Export it with --as merged."
        )
    shutil.copytree(model.folder / WEIGHTS, folder, dirs_exist_ok=True)
    load_tokenizer(model.base.model_copy(update={"folder": model.folder})).save_pretrained(folder)


def load_adapter(model: ModelRef, folder: Path) -> "nn.Module":
    """Load an exported adapter onto the base it was trained on."""
    method = training_method(model)
    return method.load(load_model(model.base, **method.base_options()), folder).eval()


def load_unquantised(model: ModelRef) -> "nn.Module":
    """Load a tuned model on its base in single precision, whatever it was trained on."""
    base = load_model(model.base, dtype=torch.float32)
    return training_method(model).load(base, model.folder / WEIGHTS).eval()


def write_merged(
    model: ModelRef, tokenizer: "PreTrainedTokenizerBase", precision: str, folder: Path
) -> None:
    """Write base and update as one model, with tokenizer, template and generation config.

    The update is added in single precision and to the unquantised base, then rounded once.

    Raises:
        TrainingError: The method's change is no change of weights.
    """
    merged: Any = training_method(model).merge(load_unquantised(model)).to(TYPES[precision])
    merged.config.dtype = TYPES[precision]
    generation = merged.generation_config
    generation.eos_token_id = end_token_ids(tokenizer)
    generation.pad_token_id = tokenizer.pad_token_id
    merged.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
