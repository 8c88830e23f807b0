"""OSF: only directions that the pretrained weights hardly use are trained."""

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from tasks.modeling.shapes import LinearShape
from tasks.training.method import METHODS
from tasks.training.peft_method import LinearPeftMethod

if TYPE_CHECKING:
    from torch import Tensor, nn


@METHODS.register
class Osf(LinearPeftMethod):
    """Orthogonal subspace fine-tuning: the large singular directions of each weight stay.

    For learning without forgetting. PEFT projects the gradients; Adam's steps leave the
    subspace all the same, so the parameters are projected back after each step. Start and
    loading take one singular value decomposition of each weight.
    """

    default_learning_rate: ClassVar[float] = 5e-5
    source: ClassVar[str] = "Nayak et al. 2025, arXiv 2504.07097"

    method: Literal["osf"] = "osf"
    kept_share: float = Field(
        0.5, gt=0, lt=1, description="Share of each weight's singular directions that stay."
    )

    def peft_config(self, model: "nn.Module") -> Any:
        """Return an OSFConfig."""
        from peft import OSFConfig

        return OSFConfig(
            effective_rank=self.kept_share, target_modules=self.targets, task_type="CAUSAL_LM"
        )

    def needs_float32(self) -> str:
        """Return that the parts of a rounded weight no longer make the weight."""
        return "trains a part of each weight of the base, and rounds the whole"

    def parameters_of(self, linear: LinearShape) -> int:
        """Return the sizes of the small singular vectors and values."""
        smaller = min(linear.outputs, linear.inputs)
        trained = smaller - int(smaller * self.kept_share)
        return trained * (linear.outputs + linear.inputs + 1)

    def after_step(self, model: "nn.Module", step: int) -> None:
        """Project the trained singular vectors back, away from those that stay."""
        import torch

        with torch.no_grad():
            for module in model.modules():
                if hasattr(module, "osf_svd_params"):
                    _project(module)


def _project(layer: Any) -> None:
    """Remove what lies in the kept subspace; PEFT stores it only where it must (its layer.py)."""
    trained = layer.osf_svd_params["default"]
    left, right = trained["U_low"], trained["V_low"]
    if "default" in layer._osf_U_high:
        kept: Tensor = layer._osf_U_high["default"]
        left -= kept @ (kept.T @ left)
    else:  # square: what was small at the start spans all that may change
        free: Tensor = layer._osf_U_low_init["default"]
        left.copy_(free @ (free.T @ left))
    if "default" in layer._osf_V_high:
        kept = layer._osf_V_high["default"]
        right -= (right @ kept.T) @ kept
    else:
        free = layer._osf_V_low_init["default"]
        right.copy_((right @ free.T) @ free)
