"""IA3: vectors that scale keys, values and the feed-forward network's inner activations."""

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from tasks.modeling.shapes import LinearShape, is_named
from tasks.training.method import METHODS
from tasks.training.peft_method import LinearPeftMethod

if TYPE_CHECKING:
    from torch import nn


@METHODS.register
class Ia3(LinearPeftMethod):
    """Infused adapter by inhibiting and amplifying: activations are scaled by learned vectors.

    Hundreds of times smaller than LoRA; for few examples. Merges.
    """

    default_learning_rate: ClassVar[float] = 3e-3
    source: ClassVar[str] = "Liu et al. 2022, arXiv 2205.05638"

    method: Literal["ia3"] = "ia3"
    target_modules: tuple[str, ...] = Field(
        ("k_proj", "v_proj", "down_proj"), description="Names of the modules to scale."
    )
    feedforward_modules: tuple[str, ...] = Field(
        ("down_proj",), description="Those of them whose input is scaled, not their output."
    )

    def peft_config(self, model: "nn.Module") -> Any:
        """Return an IA3Config."""
        from peft import IA3Config

        return IA3Config(
            target_modules=list(self.target_modules),
            feedforward_modules=list(self.feedforward_modules),
            task_type="CAUSAL_LM",
        )

    def parameters_of(self, linear: LinearShape) -> int:
        """Return the length of the vector."""
        before = is_named(linear.name, self.feedforward_modules)
        return linear.inputs if before else linear.outputs
