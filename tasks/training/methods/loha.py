"""LoHa: an update that is the elementwise product of two low-rank ones."""

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from tasks.modeling.shapes import LinearShape
from tasks.training.method import METHODS
from tasks.training.peft_method import LinearPeftMethod

if TYPE_CHECKING:
    from torch import nn


@METHODS.register
class LoHa(LinearPeftMethod):
    """Low-rank Hadamard product: (B₁·A₁) ∘ (B₂·A₂), of rank up to rank² for the same size."""

    default_learning_rate: ClassVar[float] = 1e-3
    source: ClassVar[str] = "Hyeon-Woo et al. 2021, arXiv 2108.06098"

    method: Literal["loha"] = "loha"
    rank: int = Field(8, ge=1, description="Rank of each of the two products.")
    alpha: float = Field(8.0, gt=0, description="The update is scaled by alpha / rank.")

    def peft_config(self, model: "nn.Module") -> Any:
        """Return a LoHaConfig."""
        from peft import LoHaConfig

        return LoHaConfig(
            r=self.rank, alpha=self.alpha, target_modules=self.targets, task_type="CAUSAL_LM"
        )

    def parameters_of(self, linear: LinearShape) -> int:
        """Return the sizes of two pairs of matrices."""
        return 2 * self.rank * (linear.outputs + linear.inputs)
