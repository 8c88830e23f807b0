"""VeRA: vectors that scale random matrices which all layers share."""

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from tasks.modeling.shapes import LinearShape, ModelShapes
from tasks.training.method import METHODS
from tasks.training.peft_method import LinearPeftMethod

if TYPE_CHECKING:
    from torch import nn


@METHODS.register
class Vera(LinearPeftMethod):
    """Vector-based random-matrix adaptation: W + Λb·B·Λd·A with A and B random, shared, frozen.

    The smallest of the methods that merge, ten times below LoRA. A and B are stored with the
    adapter, so that it does not depend on a random generator.
    """

    default_learning_rate: ClassVar[float] = 4e-3
    source: ClassVar[str] = "Kopiczko et al. 2023, arXiv 2310.11454"

    method: Literal["vera"] = "vera"
    rank: int = Field(256, ge=1, description="Rank of the shared random matrices.")

    def peft_config(self, model: "nn.Module") -> Any:
        """Return a VeraConfig."""
        from peft import VeraConfig

        return VeraConfig(r=self.rank, target_modules=self.targets, task_type="CAUSAL_LM")

    def parameters_of(self, linear: LinearShape) -> int:
        """Return the sizes of the two vectors."""
        return self.rank + linear.outputs

    def saved_values(self, shapes: ModelShapes) -> int:
        """Add the shared matrices, which reach over the widest layers."""
        linears = shapes.select(self.target_modules)
        widest = max(x.outputs for x in linears) + max(x.inputs for x in linears)
        return self.trainable_parameters(shapes) + self.rank * widest
