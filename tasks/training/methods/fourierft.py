"""FourierFT: an update given by a few of its Fourier coefficients."""

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from tasks.modeling.shapes import LinearShape
from tasks.training.method import METHODS
from tasks.training.peft_method import LinearPeftMethod

if TYPE_CHECKING:
    from torch import nn


@METHODS.register
class FourierFt(LinearPeftMethod):
    """Fourier-transformed fine-tuning: the update is the inverse transform of a sparse spectrum.

    Size does not grow with the layer's width. The spectrum starts at zero.
    """

    default_learning_rate: ClassVar[float] = 3e-3
    source: ClassVar[str] = "Gao et al. 2024, arXiv 2405.03003"

    method: Literal["fourierft"] = "fourierft"
    frequencies: int = Field(1000, ge=1, description="Coefficients of each layer.")
    scaling: float = Field(150.0, gt=0, description="The update is multiplied by this.")

    def peft_config(self, model: "nn.Module") -> Any:
        """Return a FourierFTConfig."""
        from peft import FourierFTConfig

        return FourierFTConfig(
            n_frequency=self.frequencies,
            scaling=self.scaling,
            init_weights=True,
            target_modules=self.targets,
            task_type="CAUSAL_LM",
        )

    def parameters_of(self, linear: LinearShape) -> int:
        """Return the number of coefficients."""
        return self.frequencies
