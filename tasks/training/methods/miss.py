"""MiSS: one small matrix, shared by shards of the weight."""

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from tasks.modeling.shapes import LinearShape
from tasks.training.method import METHODS
from tasks.training.peft_method import LinearPeftMethod

if TYPE_CHECKING:
    from torch import nn


@METHODS.register
class Miss(LinearPeftMethod):
    """Matrix shard sharing: one trainable block is repeated over the shards of the input.

    Half of LoRA's size at the same rank, and fast. (PEFT called it Bone before.)
    """

    default_learning_rate: ClassVar[float] = 2e-4
    source: ClassVar[str] = "Kang and Yin 2024, arXiv 2409.15371"

    method: Literal["miss"] = "miss"
    rank: int = Field(64, ge=1, description="Height of the shared block.")

    def peft_config(self, model: "nn.Module") -> Any:
        """Return a MissConfig."""
        from peft import MissConfig

        return MissConfig(r=self.rank, target_modules=self.targets, task_type="CAUSAL_LM")

    def parameters_of(self, linear: LinearShape) -> int:
        """Return the size of the block."""
        return self.rank * linear.outputs
