"""In which type a model's weights were published."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import PretrainedConfig

UNKNOWN = "unknown"


def published_type(folder: Path) -> str:
    """Return the type that a model's `config.json` names, such as bfloat16."""
    try:
        found = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return UNKNOWN  # whoever loads the model says what is wrong with it
    return _named(found) or _named(found.get("text_config") or {}) or UNKNOWN


def type_in(config: "PretrainedConfig") -> str:
    """Return the same of a configuration that was read already."""
    found = config.dtype or config.get_text_config().dtype
    return str(found).removeprefix("torch.") if found is not None else UNKNOWN


def _named(config: Mapping[str, Any]) -> str:
    return str(config.get("dtype") or config.get("torch_dtype") or "").removeprefix("torch.")
