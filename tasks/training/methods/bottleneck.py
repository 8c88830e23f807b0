"""Bottleneck adapters: small networks inside every layer."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from tasks.modeling.shapes import ModelShapes
from tasks.training.method import METHODS, InferenceCost, TrainingMethod

if TYPE_CHECKING:
    from torch import nn

_NAME, _HOOK = "bottleneck", "_bottleneck_hook"


@METHODS.register
class Bottleneck(TrainingMethod):
    """Small networks (down, non-linearity, up, residual) after the sub-layers of every layer.

    `houlsby` puts one after attention and one after the feed-forward network, `pfeiffer` only
    the latter, `parallel` one beside the feed-forward network. They stay in the model: a little
    latency, and no merging. The up-projection is zero at first.
    """

    default_learning_rate: ClassVar[float] = 1e-3
    source: ClassVar[str] = (
        "Houlsby 2019, arXiv 1902.00751; Pfeiffer 2020, 2005.00247; He 2021, 2110.04366"
    )
    unloads: ClassVar[bool] = True
    inference_cost: ClassVar[InferenceCost] = "modules"

    method: Literal["bottleneck"] = "bottleneck"
    placement: Literal["houlsby", "pfeiffer", "parallel"] = Field(
        "pfeiffer", description="Where the adapters lie."
    )
    size: int = Field(64, ge=1, description="Width of the bottleneck.")
    scaling: float = Field(1.0, gt=0, description="The adapter's output is multiplied by this.")

    def prepare(self, model: "nn.Module") -> "nn.Module":
        """Add the adapters; only they require gradients."""
        model.requires_grad_(False)
        config: Any = model.config
        for place in self._places(model):
            self._add(place, config.hidden_size)
        return model

    def needs_float32(self) -> str:
        """Return nothing: the adapters are in single precision, whatever the model is in."""
        return ""

    def save(self, model: "nn.Module", folder: Path) -> None:
        """Write the adapters alone."""
        from tasks.training.own_tensors import save_trainable

        save_trainable(model, folder)

    def load(self, base: "nn.Module", folder: Path) -> "nn.Module":
        """Add adapters to the base and fill them."""
        from tasks.training.own_tensors import load_trainable

        tuned = self.prepare(base)
        load_trainable(tuned, folder)
        return tuned

    def unload(self, model: "nn.Module") -> "nn.Module":
        """Take the adapters out."""
        for place in self._places(model):
            getattr(place, _HOOK).remove()
            delattr(place, _HOOK)
            delattr(place, _NAME)
        return model

    def trainable_parameters(self, shapes: ModelShapes) -> int:
        """Return the sizes of all projections and their biases."""
        one = 2 * shapes.hidden_size * self.size + shapes.hidden_size + self.size
        return one * shapes.layers * (2 if self.placement == "houlsby" else 1)

    def _places(self, model: "nn.Module") -> "Iterator[nn.Module]":
        from tasks.modeling.decoder import attention, decoder_layers, feed_forward

        for layer in decoder_layers(model):
            if self.placement == "houlsby":
                yield attention(layer)
            yield feed_forward(layer)

    def _add(self, place: "nn.Module", width: int) -> None:
        from torch import nn

        up = nn.Linear(self.size, width)
        nn.init.zeros_(up.weight)
        nn.init.zeros_(up.bias)
        adapter = nn.Sequential(nn.Linear(width, self.size), nn.GELU(), up)
        weight = next(place.parameters())
        place.add_module(_NAME, adapter.to(weight.device))
        setattr(place, _HOOK, place.register_forward_hook(self._hook(adapter)))

    def _hook(self, adapter: "nn.Module") -> Callable[..., Any]:
        parallel, scaling = self.placement == "parallel", self.scaling
        kind = next(adapter.parameters()).dtype

        def add(_place: "nn.Module", inputs: tuple[Any, ...], output: Any) -> Any:
            # attention returns its output and its weights; the feed-forward network a tensor
            hidden, rest = (output[0], output[1:]) if isinstance(output, tuple) else (output, None)
            # the adapter is in single precision, the model perhaps in half of it
            update = adapter((inputs[0] if parallel else hidden).to(kind))
            changed = hidden + (scaling * update).to(hidden.dtype)
            return changed if rest is None else (changed, *rest)

        return add
