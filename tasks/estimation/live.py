"""Counts the bytes that a training step keeps alive, without allocating them.

A step runs on PyTorch's meta device: every operation makes tensors that have a shape and
a lifetime, and no memory. Summing the storages that live at each moment gives the very
peak that an accelerator's allocator would see, for any architecture and any method, with
no formula for either.
"""

import weakref
from collections.abc import Iterable
from contextlib import nullcontext
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

# The CUDA allocator rounds every block up to this (c10/cuda/CUDACachingAllocator, kMinBlockSize).
BLOCK_BYTES = 512


class LiveBytes(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """While active, follows which storages live; `bytes` is now, `peak` the highest so far.

    Args:
        known: Tensors that exist already and are not to be counted, such as weights.
    """

    def __init__(self, known: Iterable[Tensor] = ()) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.bytes = 0
        self.peak = 0
        self._alive: dict[int, Any] = {t.untyped_storage()._cdata: t for t in known}

    def __enter__(self) -> "LiveBytes":
        self._autocast: Any = torch.autocast
        torch.autocast = _autocast_on_devices(torch.autocast)  # type: ignore[misc]
        return super().__enter__()  # type: ignore[no-untyped-call,no-any-return]

    def __exit__(self, *error: object) -> None:
        torch.autocast = self._autocast  # type: ignore[misc]
        super().__exit__(*error)  # type: ignore[no-untyped-call]

    def restart_peak(self) -> None:
        """Let the peak start again from what is alive now."""
        self.peak = self.bytes

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Run one operation and count the storages of its results."""
        if func is torch.ops.aten._local_scalar_dense.default and args[0].is_meta:
            # A value is asked for where there are only shapes, as in `if weights.isinf().any()`.
            return False if args[0].dtype == torch.bool else 0
        if any(isinstance(a, Tensor) and a.layout == torch.sparse_coo for a in args):
            result = _with_sparse(func, args, kwargs or {})
        else:
            result = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(result):
            if isinstance(leaf, Tensor) and leaf.layout == torch.strided:
                self._count(leaf)  # a sparse tensor's parts are strided and counted before it
        return result

    def _count(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        key = storage._cdata
        if key in self._alive:
            return
        size = -(-storage.nbytes() // BLOCK_BYTES) * BLOCK_BYTES
        self._alive[key] = weakref.ref(storage, partial(self._freed, key, size))
        self.bytes += size
        self.peak = max(self.peak, self.bytes)

    def _freed(self, key: int, size: int, _reference: object) -> None:
        self._alive.pop(key, None)
        self.bytes -= size


def _autocast_on_devices(autocast: Any) -> Any:
    """Return autocast that does nothing on the meta device, where PyTorch knows of none.

    PEFT switches it off around the low-rank product of an expert's weights.
    """

    def on_device(device_type: str, *args: Any, **options: Any) -> Any:
        return nullcontext() if device_type == "meta" else autocast(device_type, *args, **options)

    return on_device


def _with_sparse(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run an operation on sparse tensors; where PyTorch needs values, only for its shapes."""
    if func is torch.ops.aten.add_.Tensor:
        return args[0]
    if func is torch.ops.aten._coalesce.default:
        return _sparse(args[0]._indices(), args[0]._values().clone(), args[0].shape)
    if func is torch.ops.aten.sparse_mask.default:
        indices = args[1]._indices()
        return _sparse(indices, args[1]._values().clone(), args[1].shape)
    if func is torch.ops.aten._to_dense.default:
        return _dense(args[0])
    try:
        return func(*args, **kwargs)
    except NotImplementedError:
        return func(*(_dense(value) for value in args), **kwargs)


def _sparse(indices: Tensor, values: Tensor, size: torch.Size) -> Tensor:
    return torch.sparse_coo_tensor(indices, values, size, is_coalesced=True, check_invariants=False)


def _dense(value: Any) -> Any:
    if isinstance(value, Tensor) and value.layout == torch.sparse_coo:
        return torch.empty(value.shape, dtype=value.dtype, device=value.device)
    return value
