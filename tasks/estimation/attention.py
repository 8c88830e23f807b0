"""Attention that keeps in memory what PyTorch's kernels keep, and computes nothing.

On the meta device PyTorch would take the unfused path, which stores the whole matrix of
scores. Accelerators run a fused one (FlashAttention, Dao et al. 2022, arXiv 2205.14135):
queries, keys, values, output and one log-sum-exp a row are kept for the backward pass. Which
kernel runs, and with what, follows from the mask, as in transformers'
`integrations/sdpa_attention.py` and PyTorch's `aten/native/transformers/attention.cpp`:

- A batch of several rows is padded and has a mask. The kernel that takes one wants it as numbers
  of the queries' type, made anew and kept in every layer, and keys and values for every query
  head.
- One row alone has no mask. Then query heads share keys and values, which the fused kernels do
  in 16 bits only: in single precision the unfused one runs and the scores are kept.
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
        bias = None if mask is None else query.new_empty(mask.shape)
        context.save_for_backward(query, key, value, output, log_sums, bias)
        return output

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        query, key, value = context.saved_tensors[:3]
        return torch.empty_like(query), torch.empty_like(key), torch.empty_like(value), None


class _Unfused(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        products = query.new_empty((*query.shape[:-1], key.shape[-2]))
        context.save_for_backward(query, key, value, torch.empty_like(products))
        return torch.empty_like(query)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        query, key, value, shares = context.saved_tensors
        _of_shares, _of_products = torch.empty_like(shares), torch.empty_like(shares)
        return torch.empty_like(query), torch.empty_like(key), torch.empty_like(value)


def _attend(
    module: nn.Module, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, **_: Any
) -> tuple[Tensor, None]:
    """Return an output of the right shape; all tensors are (rows, heads, length, width)."""
    groups = query.shape[1] // key.shape[1]
    unfused = mask is None and groups > 1 and _is_wider_than_model(query, module)
    if groups > 1 and (mask is not None or unfused):
        key, value = key.repeat_interleave(groups, 1), value.repeat_interleave(groups, 1)
    output: Tensor = (
        _Unfused.apply(query, key, value)  # type: ignore[no-untyped-call]
        if unfused
        else _Fused.apply(query, key, value, mask)  # type: ignore[no-untyped-call]
    )
    return output.transpose(1, 2).contiguous(), None


def _is_wider_than_model(query: Tensor, module: nn.Module) -> bool:
    """Whether a model of 16 bits attends in single precision.

    A model that is in single precision itself trains on a processor, whose kernels are fused.
    """
    model_type = getattr(getattr(module, "config", None), "dtype", query.dtype)
    return query.dtype == torch.float32 and model_type != torch.float32


def _mask(
    batch_size: int, q_length: int, kv_length: int, *_arguments: Any, **options: Any
) -> torch.Tensor | None:
    """Return a padding mask, (rows, 1, queries, keys), or None where a row stands alone."""
    window = options.get("local_size")
    within = window is None or kv_length < window
    if batch_size == 1 and q_length == kv_length and within:
        return None
    return torch.empty(batch_size, 1, q_length, kv_length, dtype=torch.bool, device="meta")


def register() -> str:
    """Make this attention known to transformers and return the name it goes by."""
    from transformers import AttentionInterface
    from transformers.masking_utils import AttentionMaskInterface

    AttentionInterface.register(NAME, _attend)
    AttentionMaskInterface.register(NAME, _mask)
    return NAME
