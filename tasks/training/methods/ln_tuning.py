"""LN tuning: the normalisation layers are trained, and nothing else."""

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from tasks.modeling.shapes import ModelShapes, is_norm
from tasks.training.method import METHODS
from tasks.training.peft_method import PeftMethod

if TYPE_CHECKING:
    from torch import nn


@METHODS.register
class LnTuning(PeftMethod):
    """Train the gains of all normalisation layers: some thousand values for a whole model."""

    default_learning_rate: ClassVar[float] = 1e-3
    source: ClassVar[str] = "Zhao et al. 2023, arXiv 2312.11420"
    # PEFT knows the input size of few normalisation layers, and has no use for it.
    expected_warning: ClassVar[str] = "Unsupported layer type"

    method: Literal["ln_tuning"] = "ln_tuning"

    def peft_config(self, model: "nn.Module") -> Any:
        """Return an LNTuningConfig that names the layers: PEFT knows few architectures' names."""
        from peft import LNTuningConfig

        names = [name for name, module in model.named_modules() if is_norm(module)]
        return LNTuningConfig(target_modules=names, task_type="CAUSAL_LM")

    def needs_float32(self) -> str:
        """Return that gains in single precision make every layer's input so."""
        return "trains the base's own norms, whose results go into all other weights"

    def trainable_parameters(self, shapes: ModelShapes) -> int:
        """Return the sizes of all gains."""
        return sum(shapes.count(f"{name}.") for name in shapes.norms)
