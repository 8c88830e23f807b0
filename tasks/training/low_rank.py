"""LoRA and the methods that differ from it in start, scale or learning rate."""

from typing import TYPE_CHECKING, Any

from pydantic import Field

from tasks.modeling.shapes import LinearShape
from tasks.training.peft_method import LinearPeftMethod

if TYPE_CHECKING:
    from torch import nn


class LowRank(LinearPeftMethod):
    """A low-rank update B·A beside each frozen weight, by PEFT's LoRA."""

    rank: int = Field(8, ge=1, description="Rank of the update; capacity and size grow with it.")
    alpha: float = Field(16.0, gt=0, description="The update is scaled by alpha / rank.")
    dropout: float = Field(0.0, ge=0, lt=1, description="Dropout on the input of the update.")

    def lora_options(self) -> dict[str, Any]:
        """Return the options of PEFT's LoraConfig in which the method differs from LoRA."""
        return {}

    def peft_config(self, model: "nn.Module") -> Any:
        """Return a LoraConfig."""
        from peft import LoraConfig
        from torch import nn

        from tasks.training.low_rank_linear import LowRankLinear

        config = LoraConfig(
            r=self.rank,
            lora_alpha=self.alpha,
            lora_dropout=self.dropout,
            target_modules=self.targets,
            task_type="CAUSAL_LM",
            **self.lora_options(),
        )
        # How PEFT is given a layer of one's own (its guide "Custom models"); packed weights have
        # layers of theirs.
        if not self.packs_base:
            config._register_custom_module({nn.Linear: LowRankLinear})
        return config

    def parameters_of(self, linear: LinearShape) -> int:
        """Return the sizes of A and B."""
        return self.rank * (linear.outputs + linear.inputs)
