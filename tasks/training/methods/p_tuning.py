"""P-tuning: virtual tokens whose embeddings a small network makes."""

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from tasks.modeling.shapes import ModelShapes
from tasks.training.method import METHODS
from tasks.training.peft_method import PromptMethod

if TYPE_CHECKING:
    from torch import nn


@METHODS.register
class PTuning(PromptMethod):
    """Learn virtual tokens through a small network, which is thrown away after training."""

    default_learning_rate: ClassVar[float] = 1e-3
    source: ClassVar[str] = "Liu et al. 2021, arXiv 2103.10385"

    method: Literal["p_tuning"] = "p_tuning"
    encoder_size: int = Field(128, ge=1, description="Width of the network that makes the tokens.")

    def peft_config(self, model: "nn.Module") -> Any:
        """Return a PromptEncoderConfig."""
        from peft import PromptEncoderConfig

        return PromptEncoderConfig(
            num_virtual_tokens=self.tokens,
            encoder_hidden_size=self.encoder_size,
            task_type="CAUSAL_LM",
        )

    def trainable_parameters(self, shapes: ModelShapes) -> int:
        """Return the embeddings and a network of three layers."""
        width, inner = shapes.hidden_size, self.encoder_size
        network = width * inner + inner + inner * inner + inner + inner * width + width
        return self.tokens * width + network

    def saved_values(self, shapes: ModelShapes) -> int:
        """Return the embeddings that the network made."""
        return self.tokens * shapes.hidden_size
