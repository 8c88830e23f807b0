"""Decompositions of real matrices replaced by numbers of the right shape.

Some methods start from a decomposition of every weight matrix: minutes at full width. Its
values do not bear on memory, its shapes do.
"""

from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only


class WithoutDecompositions(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """While active, linear algebra returns random numbers in (0, 1) without computing."""

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Run one operation, or only ask for the shapes of its results."""
        given = (args, kwargs or {})
        if "linalg" not in func.name():
            return func(*given[0], **given[1])
        shapes = tree_map_only(Tensor, lambda tensor: tensor.to("meta"), given)
        return tree_map_only(Tensor, _numbers, func(*shapes[0], **shapes[1]))


def _numbers(shape: Tensor) -> Tensor:
    if shape.is_floating_point():
        return torch.rand(shape.shape, dtype=shape.dtype)
    return torch.zeros(shape.shape, dtype=shape.dtype)
