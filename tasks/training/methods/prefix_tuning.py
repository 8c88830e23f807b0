"""Prefix tuning: virtual keys and values before every row, in every layer."""

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from tasks.modeling.shapes import ModelShapes
from tasks.training.method import METHODS
from tasks.training.peft_method import PromptMethod

if TYPE_CHECKING:
    from torch import nn


@METHODS.register
class PrefixTuning(PromptMethod):
    """Learn keys and values of virtual tokens in every layer, through a small network.

    The network (re-parameterisation) steadies training and is thrown away after it. In layers
    with a sliding window, positions beyond the window do not see the prefix.
    """

    default_learning_rate: ClassVar[float] = 1e-3
    source: ClassVar[str] = "Li and Liang 2021, arXiv 2101.00190"
    # The prefix is a cache of keys and values, which a second forward pass would extend.
    allows_checkpointing: ClassVar[bool] = False

    method: Literal["prefix_tuning"] = "prefix_tuning"
    projection: bool = Field(True, description="Make the prefix by a network while training.")
    encoder_size: int = Field(128, ge=1, description="Width of that network.")

    def peft_config(self, model: "nn.Module") -> Any:
        """Return a PrefixTuningConfig."""
        from peft import PrefixTuningConfig

        return PrefixTuningConfig(
            num_virtual_tokens=self.tokens,
            prefix_projection=self.projection,
            encoder_hidden_size=self.encoder_size,
            task_type="CAUSAL_LM",
        )

    def trainable_parameters(self, shapes: ModelShapes) -> int:
        """Return the prefix, or the embeddings and a network of two layers that make it."""
        if not self.projection:
            return self.saved_values(shapes)
        width, inner = shapes.key_value_size, self.encoder_size
        made = 2 * shapes.layers * width
        return self.tokens * width + width * inner + inner + inner * made + made

    def saved_values(self, shapes: ModelShapes) -> int:
        """Return keys and values of every token in every layer."""
        return self.tokens * 2 * shapes.layers * shapes.key_value_size
