"""Reaches into a decoder: its layers, and the two sub-layers of each."""

from typing import Any

from torch import nn

from data_contracts.errors import ModelError

# What transformers' architectures call the two sub-layers; the first that exists is taken.
_ATTENTION = ("self_attn", "attention", "attn", "self_attention")
_FEED_FORWARD = ("mlp", "feed_forward", "ffn")


def decoder_of(model: nn.Module) -> nn.Module:
    """Return the model without its output layer."""
    decoder: nn.Module = model.base_model  # type: ignore[assignment]
    return decoder


def decoder_layers(model: nn.Module) -> list[nn.Module]:
    """Return the decoder's layers from first to last.

    Raises:
        ModelError: The architecture keeps them where none of transformers' usual names leads.
    """
    decoder: Any = decoder_of(model)
    for name in ("layers", "h", "blocks"):
        found = getattr(decoder, name, None)
        if isinstance(found, nn.ModuleList):
            return list(found)
    raise ModelError(
        f"No list of layers (layers, h or blocks) in {type(decoder).__name__}. This method works "
        "with decoder-only models of transformers; choose another, such as lora."
    )


def attention(layer: nn.Module) -> nn.Module:
    """Return a layer's attention."""
    return _part(layer, _ATTENTION)


def feed_forward(layer: nn.Module) -> nn.Module:
    """Return a layer's feed-forward network."""
    return _part(layer, _FEED_FORWARD)


def _part(layer: nn.Module, names: tuple[str, ...]) -> nn.Module:
    for name in names:
        part = getattr(layer, name, None)
        if isinstance(part, nn.Module):
            return part
    raise ModelError(
        f"{type(layer).__name__} has none of the sub-layers {', '.join(names)}. Choose another "
        "method, such as lora."
    )
