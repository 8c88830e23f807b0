"""DoRA: LoRA for the direction of a weight, a vector for its magnitude."""

from typing import Any, ClassVar, Literal

from tasks.modeling.shapes import LinearShape
from tasks.training.low_rank import LowRank
from tasks.training.method import METHODS


@METHODS.register
class Dora(LowRank):
    """Weight-decomposed LoRA: direction by a low-rank update, magnitude by a vector.

    Nearer to full fine-tuning at low ranks, and slower to train: the norm of every adapted
    weight is computed in each forward pass. Merges.
    """

    default_learning_rate: ClassVar[float] = 2e-4
    source: ClassVar[str] = "Liu et al. 2024, arXiv 2402.09353"

    method: Literal["dora"] = "dora"

    def lora_options(self) -> dict[str, Any]:
        """Add the magnitudes."""
        return {"use_dora": True}

    def parameters_of(self, linear: LinearShape) -> int:
        """Add one magnitude for each output."""
        return super().parameters_of(linear) + linear.outputs
