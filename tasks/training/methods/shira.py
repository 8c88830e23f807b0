"""SHiRA: a few entries of each weight are trained, at full rank."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from tasks.modeling.shapes import LinearShape, ModelShapes
from tasks.training.method import METHODS
from tasks.training.peft_method import LinearPeftMethod

if TYPE_CHECKING:
    from torch import nn


@METHODS.register
class Shira(LinearPeftMethod):
    """Sparse high-rank adapters: a random one or two per cent of the weights is trained.

    Adapters of several tasks touch few common entries, and can be switched fast.
    """

    default_learning_rate: ClassVar[float] = 2e-4
    source: ClassVar[str] = "Bhardwaj et al. 2024, arXiv 2406.13175"

    method: Literal["shira"] = "shira"
    rank: int = Field(32, ge=1, description="As many values as a LoRA of this rank has.")
    mask_seed: int = Field(42, description="Chooses the trained entries.")

    def peft_config(self, model: "nn.Module") -> Any:
        """Return a ShiraConfig."""
        from peft import ShiraConfig

        return ShiraConfig(
            r=self.rank,
            random_seed=self.mask_seed,
            target_modules=self.targets,
            task_type="CAUSAL_LM",
        )

    def prepare(self, model: "nn.Module") -> "nn.Module":
        """Wrap the model."""
        _leave_sparse_tensors_unchecked()
        return super().prepare(model)

    def load(self, base: "nn.Module", folder: Path) -> "nn.Module":
        """Put the saved adapter onto the base."""
        _leave_sparse_tensors_unchecked()
        return super().load(base, folder)

    def parameters_of(self, linear: LinearShape) -> int:
        """Return the number of trained entries."""
        return self.rank * (linear.outputs + linear.inputs)

    def saved_values(self, shapes: ModelShapes) -> int:
        """Add row and column of every entry."""
        return 3 * self.trainable_parameters(shapes)


def _leave_sparse_tensors_unchecked() -> None:
    """Say what is torch's default, which otherwise warns that it should be said."""
    import torch

    torch.sparse.check_sparse_tensor_invariants.disable()  # type: ignore[no-untyped-call]
