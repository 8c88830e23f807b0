"""What of the forward pass is kept for the backward pass, and what is computed anew.

Keeping everything takes most of the memory of training. Computing a whole layer anew takes a
third more time. In between: nearly all time goes into the large matrix products and attention,
most memory into what lies between them (norms, activations, rotations, dropout), which costs
little to compute again. `selective` keeps the results of the former (Korthikanti et al. 2022,
arXiv 2205.05198, section 5, for the idea; there attention is what is computed anew).
"""

from functools import partial
from typing import Any

import torch
from torch.utils.checkpoint import CheckpointPolicy, create_selective_checkpoint_contexts

from tasks.training.method import Recomputation

# A product through fewer dimensions than this (an adapter's rank) is cheaper to compute than
# its result is to keep.
_NARROW = 64

_aten = torch.ops.aten


def checkpoint_options(choice: Recomputation) -> dict[str, Any]:
    """Return the options of PyTorch's checkpointing, as transformers passes them on."""
    options: dict[str, Any] = {"use_reentrant": False}
    if choice == "selective":
        options["context_fn"] = partial(create_selective_checkpoint_contexts, _policy)
    return options


def _policy(_context: Any, operator: Any, *arguments: Any, **_: Any) -> CheckpointPolicy:
    kept = _is_wide_product(operator, arguments) or "attention" in str(operator)
    return CheckpointPolicy.MUST_SAVE if kept else CheckpointPolicy.PREFER_RECOMPUTE


def _is_wide_product(operator: Any, arguments: tuple[Any, ...]) -> bool:
    """Whether a linear layer is computed through at least `_NARROW` dimensions on both sides."""
    if operator not in {_aten.mm.default, _aten.addmm.default}:
        return False
    left, right = arguments[-2:]
    return bool(min(left.shape[1], right.shape[1]) >= _NARROW)
