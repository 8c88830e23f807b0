"""LoKr: an update that is the Kronecker product of two small matrices."""

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from tasks.modeling.shapes import LinearShape
from tasks.training.method import METHODS
from tasks.training.peft_method import LinearPeftMethod

if TYPE_CHECKING:
    from torch import nn


@METHODS.register
class LoKr(LinearPeftMethod):
    """Low-rank Kronecker product: C ⊗ (B·A), many times smaller than LoRA at full rank."""

    default_learning_rate: ClassVar[float] = 1e-3
    source: ClassVar[str] = "Yeh et al. 2023, arXiv 2309.14859"

    method: Literal["lokr"] = "lokr"
    rank: int = Field(8, ge=1, description="Rank of the larger factor.")
    alpha: float = Field(8.0, gt=0, description="The update is scaled by alpha / rank.")

    def peft_config(self, model: "nn.Module") -> Any:
        """Return a LoKrConfig."""
        from peft import LoKrConfig

        return LoKrConfig(
            r=self.rank, alpha=self.alpha, target_modules=self.targets, task_type="CAUSAL_LM"
        )

    def parameters_of(self, linear: LinearShape) -> int:
        """Return the sizes of the factors; the larger one is low-rank only where that saves."""
        from peft.tuners.lokr.layer import factorization

        (out_small, out_large), (in_small, in_large) = (
            factorization(linear.outputs),
            factorization(linear.inputs),
        )
        low_rank = self.rank < max(out_large, in_large) / 2
        larger = self.rank * (out_large + in_large) if low_rank else out_large * in_large
        return int(out_small * in_small + larger)
