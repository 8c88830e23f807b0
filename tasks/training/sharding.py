"""FSDP: what is spread over processes, made whole for a checkpoint and spread again."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_optimizer_state_dict,
    set_optimizer_state_dict,
)
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.optim import Optimizer
from transformers.modeling_layers import GradientCheckpointingLayer

_OPTIMIZER = "optimizer.pt"
_WHOLE = StateDictOptions(full_state_dict=True, cpu_offload=True)


def shard(model: nn.Module) -> None:
    """Spread all parameters over the processes: each layer a unit, the rest another.

    Ours and not accelerate's, which has none on the CPU. Needs the process group.
    """
    for module in model.modules():
        if isinstance(module, GradientCheckpointingLayer):
            fully_shard(module)
    fully_shard(model)


def is_sharded(model: nn.Module) -> bool:
    """Return whether `shard` was called on the model."""
    return isinstance(model, FSDPModule)


def reshard(model: nn.Module) -> None:
    """Let every parameter be its shard again: a forward pass leaves some of them whole."""
    for module in model.modules():
        if isinstance(module, FSDPModule):
            module.reshard()


def whole(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return a state with its shards put together; all processes must call it."""
    return {
        name: value.full_tensor() if isinstance(value, DTensor) else value
        for name, value in state.items()
    }


def spread(model: nn.Module, state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return a whole state spread as the model's parameters are; all processes must call it."""
    shards = {name: p for name, p in model.named_parameters() if isinstance(p, DTensor)}
    return {
        name: distribute_tensor(value, shards[name].device_mesh, shards[name].placements)
        if name in shards
        else value
        for name, value in state.items()
    }


def save_optimizer(model: nn.Module, optimizer: Optimizer, folder: Path, writes: bool) -> None:
    """Write the whole optimizer state; all processes must call it, one writes."""
    reshard(model)
    state = get_optimizer_state_dict(model, optimizer, options=_WHOLE)
    if writes:
        torch.save(state, folder / _OPTIMIZER)


def load_optimizer(model: nn.Module, optimizer: Optimizer, folder: Path) -> None:
    """Read what `save_optimizer` wrote; all processes must call it."""
    state: dict[str, Any] = torch.load(folder / _OPTIMIZER, weights_only=True)
    set_optimizer_state_dict(model, optimizer, state, options=_WHOLE)
