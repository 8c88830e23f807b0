"""Shapes of a model's weights: enough to say what a method will train, without the weights."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class LinearShape:
    """A linear layer of the decoder; its weight has shape (outputs, inputs)."""

    name: str
    outputs: int
    inputs: int


@dataclass(frozen=True)
class ModelShapes:
    """What is known of a causal language model from its configuration alone.

    Args:
        parameters: Shape of every parameter by name; a tied output layer is not listed twice.
        linears: The decoder's linear layers, the output layer not among them.
        norms: Names of the normalisation layers.
        hidden_size: Width of the residual stream.
        key_value_size: Width of one layer's keys: key-value heads times head dimension.
        layers: Number of decoder layers.
    """

    parameters: Mapping[str, tuple[int, ...]]
    linears: tuple[LinearShape, ...]
    norms: tuple[str, ...]
    hidden_size: int
    key_value_size: int
    layers: int

    @cached_property
    def total(self) -> int:
        """The number of all parameters."""
        return self.count("")

    def count(self, part: str) -> int:
        """Return the number of parameters whose name contains `part`."""
        return sum(_size(shape) for name, shape in self.parameters.items() if part in name)

    def select(self, targets: tuple[str, ...]) -> list[LinearShape]:
        """Return the linear layers that a method's `target_modules` names.

        Args:
            targets: Last parts of names; `all-linear` alone selects every layer.
        """
        if targets == ("all-linear",):
            return list(self.linears)
        return [linear for linear in self.linears if is_named(linear.name, targets)]


def is_named(name: str, targets: tuple[str, ...]) -> bool:
    """Return whether a module's dotted name ends with one of `targets`."""
    return any(name == target or name.endswith(f".{target}") for target in targets)


def shapes_of(model: "nn.Module") -> ModelShapes:
    """Return the shapes of a model of transformers that is not quantised.

    One on the meta device will do, which holds no values.
    """
    from torch import nn

    modules = dict(model.named_modules())
    head: Any = model.get_output_embeddings()  # type: ignore[operator]
    linears = tuple(
        LinearShape(name, module.out_features, module.in_features)
        for name, module in modules.items()
        if isinstance(module, nn.Linear) and module is not head
    )
    config: Any = model.config.get_text_config()  # type: ignore[operator, union-attr]
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return ModelShapes(
        parameters={name: tuple(p.shape) for name, p in model.named_parameters()},
        linears=linears,
        norms=tuple(name for name, module in modules.items() if is_norm(module)),
        hidden_size=config.hidden_size,
        key_value_size=heads * width,
        layers=config.num_hidden_layers,
    )


def is_norm(module: "nn.Module") -> bool:
    """Return whether a module is a normalisation layer: every architecture has its own class."""
    return type(module).__name__.lower().endswith("norm")


def _size(shape: tuple[int, ...]) -> int:
    size = 1
    for extent in shape:
        size *= extent
    return size
