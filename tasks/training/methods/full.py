"""Full fine-tuning: every weight is trained, or all but some frozen parts."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from data_contracts.errors import ConfigError
from tasks.modeling.shapes import ModelShapes
from tasks.training.method import METHODS, TrainingMethod

if TYPE_CHECKING:
    from torch import nn

_LAYER = re.compile(r"\.(?:layers|h|blocks)\.(\d+)\.")


@METHODS.register
class Full(TrainingMethod):
    """Train all weights, or all but the embeddings and the first layers.

    Learns most and needs most memory: weights, gradients and two optimizer moments, 16 bytes
    a parameter in single precision. `training.optimizer` names leaner ones.
    """

    # PEFT's comparison on a 3B model took 1e-5; small models bear and need more.
    default_learning_rate: ClassVar[float] = 2e-5
    source: ClassVar[str] = "Howard and Ruder 2018, arXiv 1801.06146 (freezing)"
    merges: ClassVar[bool] = True
    allows_sharding: ClassVar[bool] = True

    method: Literal["full"] = "full"
    freeze_embeddings: bool = Field(
        False,
        description="Leave the token embeddings (and an output layer tied to them) as they are.",
    )
    frozen_layers: int = Field(
        0, ge=0, description="Leave so many decoder layers, from the input on, as they are."
    )

    def prepare(self, model: "nn.Module") -> "nn.Module":
        """Make all parameters trainable, but for the frozen ones.

        Raises:
            ConfigError: Nothing would be left to train.
        """
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(not self._in_frozen_layer(name))
        if self.freeze_embeddings:
            model.get_input_embeddings().requires_grad_(False)  # type: ignore[operator]
        layers = {int(m[1]) for name, _ in model.named_parameters() if (m := _LAYER.search(name))}
        if self.frozen_layers >= len(layers):
            raise ConfigError(
                f"training.method.frozen_layers is {self.frozen_layers}, but the model has "
                f"{len(layers)} layers. Leave at least one to train."
            )
        return model

    def needs_float32(self) -> str:
        """Return that most steps are too small for 16 bits; frozen layers go with the others."""
        return "trains the base's own weights, and most of its steps would be rounded away"

    def save(self, model: "nn.Module", folder: Path) -> None:
        """Write the whole model."""
        model.save_pretrained(folder)  # type: ignore[operator]

    def load(self, base: "nn.Module", folder: Path) -> "nn.Module":
        """Load the saved weights into the base's architecture."""
        from transformers import AutoModelForCausalLM

        dtype = next(base.parameters()).dtype
        tuned: nn.Module = AutoModelForCausalLM.from_pretrained(
            folder, dtype=dtype, use_safetensors=True, trust_remote_code=False
        )
        return tuned.to(next(base.parameters()).device)

    def trainable_parameters(self, shapes: ModelShapes) -> int:
        """Return all parameters less those of frozen parts."""
        frozen = sum(shapes.count(f".layers.{number}.") for number in range(self.frozen_layers))
        if self.freeze_embeddings:
            frozen += shapes.count("embed_tokens")
        return shapes.total - frozen

    def saved_values(self, shapes: ModelShapes) -> int:
        """Return all parameters: the whole model is written."""
        return shapes.total

    def merge(self, model: "nn.Module") -> "nn.Module":
        """Return the model as it is."""
        return model

    def _in_frozen_layer(self, name: str) -> bool:
        match = _LAYER.search(name)
        return match is not None and int(match[1]) < self.frozen_layers
