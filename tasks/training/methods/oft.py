"""OFT: weights are rotated, so that the angles between neurons stay."""

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from tasks.modeling.shapes import LinearShape
from tasks.training.method import METHODS
from tasks.training.peft_method import LinearPeftMethod

if TYPE_CHECKING:
    from torch import nn


@METHODS.register
class Oft(LinearPeftMethod):
    """Orthogonal fine-tuning: W·R with R block-diagonal and orthogonal, the identity at first."""

    default_learning_rate: ClassVar[float] = 1e-3
    source: ClassVar[str] = "Qiu et al. 2023, arXiv 2306.07280"

    method: Literal["oft"] = "oft"
    block_size: int = Field(32, ge=2, description="Side of a block; must divide every input size.")

    def peft_config(self, model: "nn.Module") -> Any:
        """Return an OFTConfig with the exact Cayley transform: its series is not orthogonal."""
        from peft import OFTConfig

        return OFTConfig(
            oft_block_size=self.block_size,
            use_cayley_neumann=False,
            target_modules=self.targets,
            task_type="CAUSAL_LM",
        )

    def parameters_of(self, linear: LinearShape) -> int:
        """Return the entries above the diagonal of each skew-symmetric block."""
        blocks = linear.inputs // self.block_size
        return blocks * self.block_size * (self.block_size - 1) // 2
