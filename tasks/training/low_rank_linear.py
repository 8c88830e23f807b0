"""LoRA's layer in fewer and larger operations than PEFT's own, to the same result.

PEFT adds B·(A·x)·scale to a linear layer's output: two products, a scaling and a sum, the last two
over values as many as the layer has outputs, forward and backward. Here the scaling is done on the
few values between A and B, and the sum by the large product itself. Autograd's gradient of B is a
product whose result is tall and narrow, for which CPU libraries are slow (2.4 × 10⁹ operations a
second for 2,048 outputs and rank 8, against 21.9 for the same product transposed).
"""

from typing import Any

import torch
from peft.tuners.lora.layer import Linear
from torch import Tensor, nn


class LowRankLinear(Linear):  # type: ignore[misc]
    """PEFT's LoRA on a linear layer; what is not plain LoRA in one type it leaves to PEFT."""

    def forward(self, x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        """Return the layer's output with the update added."""
        name = None if args or kwargs else self._plain_adapter(x)
        if name is None:
            output: Tensor = super().forward(x, *args, **kwargs)
            return output
        base, down, up = self.base_layer, self.lora_A[name].weight, self.lora_B[name].weight
        added: Tensor = _AddedUpdate.apply(  # type: ignore[no-untyped-call]
            x, base.weight, base.bias, down, up, self.scaling[name]
        )
        return added

    def _plain_adapter(self, x: Tensor) -> str | None:
        """Return the adapter, if it is one without extras on a frozen layer, all in one type."""
        active: list[str] = [name for name in self.active_adapters if name in self.lora_A]
        if self.disable_adapters or self.merged or len(active) != 1 or x.dim() < 2:
            return None
        name = active[0]
        base, down, up = self.base_layer, self.lora_A[name], self.lora_B[name]
        plain = (
            name not in self.lora_variant
            and type(base) is nn.Linear
            and not any(p.requires_grad for p in base.parameters())
            and up.bias is None
            and (isinstance(self.lora_dropout[name], nn.Identity) or not self.training)
            and {x.dtype} == {base.weight.dtype, down.weight.dtype, up.weight.dtype}
            and not _autocasts(x.device.type)
        )
        return name if plain else None


def _autocasts(device: str) -> bool:
    """Whether types are chosen by operation; a device without that, such as `meta`, has no say."""
    available: bool = torch.amp.is_autocast_available(device)
    return available and torch.is_autocast_enabled(device)


class _AddedUpdate(torch.autograd.Function):
    """x·Wᵀ + bias + scale · (x·Aᵀ)·Bᵀ, for a W that gets no gradient."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, down: Tensor, up: Tensor,
        scale: float,
    ) -> Tensor:  # fmt: skip
        rows = x.flatten(0, -2)
        narrow = (rows @ down.t()).mul_(scale)
        update = narrow @ up.t() if bias is None else torch.addmm(bias, narrow, up.t())
        ctx.save_for_backward(rows, weight, down, up, narrow)
        ctx.scale = scale
        # Last, and not in place: its result is what selective recomputation keeps.
        output = torch.addmm(update, rows, weight.t())
        return output.view(*x.shape[:-1], -1)

    @staticmethod
    def backward(ctx: Any, above: Tensor) -> tuple[Tensor | None, ...]:
        rows, weight, down, up, narrow = ctx.saved_tensors
        of_rows = above.flatten(0, -2)
        through = (of_rows @ up).mul_(ctx.scale)
        of_x = None
        if ctx.needs_input_grad[0]:
            of_x = (of_rows @ weight).addmm_(through, down).view(*above.shape[:-1], -1)
        of_up = (narrow.t() @ of_rows).t().contiguous()  # as others expect gradients to lie
        return of_x, None, None, through.t() @ rows, of_up, None
