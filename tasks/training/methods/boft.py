"""BOFT: orthogonal fine-tuning with a sparse rotation and a scale."""

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from tasks.modeling.shapes import LinearShape
from tasks.training.method import METHODS
from tasks.training.peft_method import LinearPeftMethod

if TYPE_CHECKING:
    from torch import nn


@METHODS.register
class Boft(LinearPeftMethod):
    """Butterfly orthogonal fine-tuning: block rotations, and one scale for each output.

    A product of several permuted block rotations needs PEFT's CUDA extension, compiled on the
    machine that trains and on every one that loads; without it PEFT takes one factor whatever
    the options say. One is what we take everywhere. PEFT holds a permutation matrix of inputs
    by inputs for each layer, so that memory grows with the square of the width.
    """

    default_learning_rate: ClassVar[float] = 1e-3
    source: ClassVar[str] = "Liu et al. 2023, arXiv 2311.06243"
    # It has no effect on one factor.
    expected_warning: ClassVar[str] = "Failed to load the CUDA ext|Setting boft_n_butterfly_factor"

    method: Literal["boft"] = "boft"
    block_size: int = Field(
        4, ge=2, multiple_of=2, description="Side of a block; must divide every input size."
    )

    def peft_config(self, model: "nn.Module") -> Any:
        """Return a BOFTConfig."""
        from peft import BOFTConfig

        return BOFTConfig(
            boft_block_size=self.block_size,
            boft_n_butterfly_factor=1,
            target_modules=self.targets,
            task_type="CAUSAL_LM",
        )

    def parameters_of(self, linear: LinearShape) -> int:
        """Return the blocks, and one scale for each output."""
        return linear.inputs * self.block_size + linear.outputs
