"""Full fine-tuning: every weight is trained."""

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from tasks.training.method import METHODS, TrainingMethod

if TYPE_CHECKING:
    from torch import nn


@METHODS.register
class Full(TrainingMethod):
    """Train all weights, or all but the embeddings.

    Learns most and needs most memory: weights, gradients and two optimizer moments, 16 bytes
    a parameter in single precision.
    """

    # PEFT's comparison on a 3B model took 1e-5; small models bear and need more.
    default_learning_rate: ClassVar[float] = 2e-5

    method: Literal["full"] = "full"
    freeze_embeddings: bool = Field(
        False,
        description="Leave the token embeddings (and an output layer tied to them) as they are.",
    )

    def prepare(self, model: "nn.Module") -> "nn.Module":
        """Make all parameters trainable, but for frozen embeddings."""
        model.requires_grad_(True)
        if self.freeze_embeddings:
            model.get_input_embeddings().requires_grad_(False)  # type: ignore[operator]
        return model

    def save(self, model: "nn.Module", folder: Path) -> None:
        """Write the whole model."""
        model.save_pretrained(folder)  # type: ignore[operator]

    def load(self, base: "nn.Module", folder: Path) -> "nn.Module":
        """Load the saved weights into the base's architecture."""
        from transformers import AutoModelForCausalLM

        dtype = next(base.parameters()).dtype
        tuned: nn.Module = AutoModelForCausalLM.from_pretrained(
            folder, dtype=dtype, use_safetensors=True
        )
        return tuned
