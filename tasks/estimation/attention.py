"""Attention that keeps in memory what the fused kernels keep, and computes nothing.

On the meta device PyTorch would take the unfused path, which stores the whole matrix of
scores. Accelerators run the fused one (FlashAttention, Dao et al. 2022, arXiv 2205.14135):
queries, keys, values, output and one log-sum-exp a row are kept for the backward pass.
"""

from typing import Any

import torch
from torch import Tensor, nn

NAME = "memory_only"


class _Fused(torch.autograd.Function):
    @staticmethod
    def forward(
        context: Any, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None
    ) -> Tensor:
        output = torch.empty_like(query)
        log_sums = query.new_empty(query.shape[:-1], dtype=torch.float32)
        context.save_for_backward(query, key, value, output, log_sums, mask)
        return output

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        query, key, value = context.saved_tensors[:3]
        return torch.empty_like(query), torch.empty_like(key), torch.empty_like(value), None


def _attend(
    module: nn.Module, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, **_: Any
) -> tuple[Tensor, None]:
    """Return an output of the right shape; all tensors are (rows, heads, length, width)."""
    groups = query.shape[1] // key.shape[1]
    if groups > 1:  # with a padding mask, transformers repeats keys and values for each query head
        key, value = key.repeat_interleave(groups, 1), value.repeat_interleave(groups, 1)
    output: Tensor = _Fused.apply(query, key, value, mask)  # type: ignore[no-untyped-call]
    return output.transpose(1, 2).contiguous(), None


def _mask(
    batch_size: int, q_length: int, kv_length: int, *_arguments: Any, **_: Any
) -> torch.Tensor:
    """Return a padding mask, (rows, 1, queries, keys)."""
    return torch.empty(batch_size, 1, q_length, kv_length, dtype=torch.bool, device="meta")


def register() -> str:
    """Make this attention known to transformers and return the name it goes by."""
    from transformers import AttentionInterface
    from transformers.masking_utils import AttentionMaskInterface

    AttentionInterface.register(NAME, _attend)
    AttentionMaskInterface.register(NAME, _mask)
    return NAME
