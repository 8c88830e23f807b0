"""What quantisation does not pack, held in single precision.

`peft.prepare_model_for_kbit_training`, which most trainers call before QLoRA, widens embeddings,
norms and the head. Then the layers' results, and the logits of a tied head, are in single
precision, too; a packed layer computes in its own type and gives back the type it was given
(`bitsandbytes.nn.Linear4bit.forward`).
"""

from typing import Any

import torch
from torch import Tensor, nn


def widen_unpacked(model: nn.Module) -> None:
    """Put every parameter but those of the packed matrices into single precision.

    Args:
        model: The base model, before a method is applied to it.
    """
    head = model.get_output_embeddings()  # type: ignore[operator]
    packed = [m for m in model.modules() if isinstance(m, nn.Linear) and m is not head]
    own_types = {id(p) for layer in packed for p in layer.parameters()}
    for parameter in model.parameters():
        if id(parameter) not in own_types:
            parameter.data = parameter.data.float()
    for layer in packed:
        layer.register_forward_pre_hook(_narrowed)
        layer.register_forward_hook(_as_given)


def _narrowed(layer: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    kind: Any = layer.weight.dtype
    return (inputs[0].to(kind), *inputs[1:])


def _as_given(_layer: nn.Module, _inputs: tuple[Tensor, ...], result: Tensor) -> Tensor:
    return result.to(torch.float32)
