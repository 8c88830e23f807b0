"""A base model's configuration and its skeleton on the meta device: shapes, no weights."""

import json
from contextlib import nullcontext
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_contracts.errors import ModelError

if TYPE_CHECKING:
    from torch import nn
    from transformers import PretrainedConfig


def read_architecture(name: str, home: Path | None = None) -> "PretrainedConfig":
    """Return the configuration of a base model, without its weights.

    Args:
        name: A folder with `config.json`, a JSON file of that form, a hub id, or `embedded`.
        home: Temper's home folder, for the embedded model.

    Raises:
        ModelError: The name leads to no configuration of a causal language model.
    """
    from transformers import AutoConfig

    from tasks.modeling.base_model import EMBEDDED, resolve_base_model

    if name == EMBEDDED:
        name = str(resolve_base_model(name, home or Path.home()).folder)
    try:
        path = Path(name).expanduser()
        if path.is_file():
            values = json.loads(path.read_text(encoding="utf-8"))
            return AutoConfig.for_model(values.pop("model_type"), **values)
        repository, _, revision = (name, "", "") if path.is_dir() else name.partition("@")
        return AutoConfig.from_pretrained(
            repository, revision=revision or "main", trust_remote_code=False
        )
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(
            f"{name!r} leads to no model configuration: {error}. Name a folder that holds "
            "config.json, a JSON file of that form with `model_type`, or a hub id."
        ) from error


def skeleton(config: "PretrainedConfig", dtype: str, device: str = "meta") -> "nn.Module":
    """Return the model of that configuration, on the meta device unless told otherwise.

    Raises:
        ModelError: Transformers has no causal language model of that kind.
    """
    import torch
    from transformers import AutoModelForCausalLM

    from tasks.estimation.attention import register

    place: Any = torch.device("meta") if device == "meta" else nullcontext()
    try:
        with place:
            model: nn.Module = AutoModelForCausalLM.from_config(
                deepcopy(config),  # transformers writes the type into it, and it tells the base's
                dtype=getattr(torch, dtype),
                attn_implementation=register(),
                trust_remote_code=False,
            )
    except (ValueError, AttributeError) as error:
        kind = getattr(config, "model_type", "?")
        raise ModelError(
            f"No causal language model can be built from a configuration of type {kind!r}: {error}."
        ) from error
    return model
