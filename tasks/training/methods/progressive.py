"""Progressive columns: a new small column learns, and reads what the old one computes."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from tasks.modeling.shapes import ModelShapes
from tasks.training.method import METHODS, InferenceCost, TrainingMethod

if TYPE_CHECKING:
    from torch import nn

_NAME, _HOOKS = "column", "_column_hooks"


@METHODS.register
class Progressive(TrainingMethod):
    """A new column of small layers beside the frozen model, with lateral connections from it.

    Layer l of the column computes c = c' + GELU(W·c' + U·h) from its predecessor c' and the old
    column's state h after layer l; the last c is added to the old column's last state. No weight
    of the old column is touched, and no gradient runs through it: training holds little more
    than a forward pass. The column has no attention of its own: it sees other positions through
    h. The output projection is zero at first.
    """

    default_learning_rate: ClassVar[float] = 1e-3
    source: ClassVar[str] = "Rusu et al. 2016, arXiv 1606.04671"
    unloads: ClassVar[bool] = True
    inference_cost: ClassVar[InferenceCost] = "modules"

    method: Literal["progressive"] = "progressive"
    width: int = Field(64, ge=1, description="Width of the new column.")

    def prepare(self, model: "nn.Module") -> "nn.Module":
        """Add the column; only it requires gradients."""
        from tasks.modeling.decoder import decoder_layers, decoder_of
        from tasks.training.column import Column, attach

        model.requires_grad_(False)
        layers = decoder_layers(model)
        config: Any = model.config
        column = Column(len(layers), config.hidden_size, self.width)
        model.add_module(_NAME, column.to(next(model.parameters()).device))
        setattr(model, _HOOKS, attach(column, layers, decoder_of(model)))
        return model

    def needs_float32(self) -> str:
        """Return nothing: the column is in single precision, whatever the model is in."""
        return ""

    def save(self, model: "nn.Module", folder: Path) -> None:
        """Write the column."""
        from tasks.training.own_tensors import save_trainable

        save_trainable(model, folder)

    def load(self, base: "nn.Module", folder: Path) -> "nn.Module":
        """Add a column to the base and fill it."""
        from tasks.training.own_tensors import load_trainable

        tuned = self.prepare(base)
        load_trainable(tuned, folder)
        return tuned

    def unload(self, model: "nn.Module") -> "nn.Module":
        """Take the column away."""
        hooks: Any = getattr(model, _HOOKS)
        for hook in hooks:
            hook.remove()
        delattr(model, _HOOKS)
        delattr(model, _NAME)
        return model

    def trainable_parameters(self, shapes: ModelShapes) -> int:
        """Return the sizes of every layer's two maps and of the output projection."""
        layer = self.width * self.width + self.width + self.width * shapes.hidden_size
        return shapes.layers * layer + self.width * shapes.hidden_size
