"""LoRA that starts from a part of each weight, and is stored as a change of the whole weight."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.modeling.shapes import ModelShapes
from tasks.training.low_rank import LowRank

if TYPE_CHECKING:
    from torch import Tensor, nn

# Where the prepared model keeps the values it started from.
_START = "_temper_start"


class LowRankOfWeights(LowRank):
    """Takes B·A out of the weight at the start; training goes on from there.

    The base in memory is no longer the base on disk. So that the adapter fits the latter, it is
    saved as the difference to its start, B·A - B₀·A₀: a plain LoRA of twice the rank.
    """

    def prepare(self, model: "nn.Module") -> "nn.Module":
        """Wrap the model and keep its start."""
        wrapped = super().prepare(model)
        setattr(wrapped, _START, {k: v.clone() for k, v in _adapter(wrapped).items()})
        return wrapped

    def needs_float32(self) -> str:
        """Return that rounding what is left of a weight would not be undone by the adapter."""
        return "takes its start out of each weight, and what is left would be rounded anew"

    def save(self, model: "nn.Module", folder: Path) -> None:
        """Write the difference to the start."""
        from dataclasses import replace

        from safetensors.torch import save_file

        start = getattr(model, _START)
        config: Any = model.peft_config["default"]  # type: ignore[index]
        doubled = replace(
            config,
            r=2 * self.rank,
            lora_alpha=2 * self.alpha,  # the scale, alpha / rank, stays
            init_lora_weights=True,
            inference_mode=True,
        )
        doubled.save_pretrained(folder)
        tensors = {k: _difference(k, v, start[k]) for k, v in _adapter(model).items()}
        save_file(tensors, folder / "adapter_model.safetensors", metadata={"format": "pt"})

    def saved_values(self, shapes: ModelShapes) -> int:
        """Return twice the trained values: the start is part of the difference."""
        return 2 * self.trainable_parameters(shapes)


def _adapter(model: "nn.Module") -> "dict[str, Tensor]":
    from peft import get_peft_model_state_dict

    state = get_peft_model_state_dict(model, save_embedding_layers=False)
    return {name: value.detach() for name, value in state.items()}


def _difference(name: str, trained: "Tensor", start: "Tensor") -> "Tensor":
    """Return [B, -B₀] or [A, A₀]: their product is B·A - B₀·A₀."""
    import torch

    if "lora_B" in name:
        return torch.cat([trained, -start], dim=1).contiguous()
    return torch.cat([trained, start], dim=0).contiguous()
