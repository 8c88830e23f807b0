"""Whether a q8_0 file holds its weights as the format promises, read without gguf's quantiser.

A block is 32 values: a scale in 16 bits and 32 whole numbers from -127 to 127. A value lies at
most half a step from what it was, plus what rounding the scale to 16 bits adds, and the largest
value of a block takes the last step, or the scale would be coarser than it need be. The file is
held against one of 16-bit weights that was made from the same model.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import gguf
import numpy as np
from numpy.typing import NDArray

VALUES, SCALE_BYTES, STEPS = 32, 2, 127
# Numbers of 16 bits have 11 significant bits; the smallest are 2**-24 apart.
HALF_STEP, SMALLEST_HALF_STEP = 2.0**-11, 2.0**-25
# Blocks looked at together, so that an embedding of gigabytes is not spread out at once.
SLICE = 500_000

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Blocks:
    """What was found in tensors of one kind.

    Attributes:
        kind: Which part of the model they are.
        blocks: How many blocks they have.
        outside: Values farther from their 16-bit ones than the format allows.
        coarse: Blocks whose largest value does not take the last step.
        highest: The highest error, as a share of what the format allows.
        error: Sum of the squared errors.
        weight: Sum of the squared 16-bit weights.
    """

    kind: str
    blocks: int
    outside: int
    coarse: int
    highest: float
    error: float
    weight: float


def check_blocks(eight_bits: Path, sixteen_bits: Path) -> list[Blocks]:
    """Return what the tensors of a q8_0 file are worth, one entry for each kind.

    Args:
        eight_bits: The q8_0 file.
        sixteen_bits: An f16 file of the same model.

    Raises:
        ValueError: The files do not hold the same tensors, or one that both keep whole differs.
    """
    left, right = (gguf.GGUFReader(path).tensors for path in (eight_bits, sixteen_bits))
    if [t.name for t in left] != [t.name for t in right]:
        raise ValueError(f"{eight_bits} and {sixteen_bits} do not hold the same tensors.")
    found: dict[str, list[Blocks]] = {}
    for small, large in zip(left, right, strict=True):
        kind = ".".join(part for part in small.name.split(".")[:-1] if part != "blk")
        kind = kind.lstrip("0123456789.")
        if small.tensor_type == gguf.GGMLQuantizationType.Q8_0:
            pieces = zip(slices(small.data, 34), slices(large.data, VALUES), strict=True)
            found.setdefault(kind, []).extend(check(kind, *piece) for piece in pieces)
        elif not np.array_equal(small.data, large.data):
            raise ValueError(f"{small.name} is no block of 8 bits, and yet it differs.")
    return [together(kind, parts) for kind, parts in found.items()]


def slices(data: NDArray[np.generic], width: int) -> Iterator[NDArray[np.generic]]:
    """Yield the rows of so many numbers, a slice at a time."""
    rows = data.reshape(-1, width)
    for start in range(0, len(rows), SLICE):
        yield rows[start : start + SLICE]


def check(kind: str, packed: NDArray[np.generic], sixteen: NDArray[np.generic]) -> Blocks:
    """Hold packed blocks against the 16-bit values that they stand for."""
    packed = np.ascontiguousarray(packed)
    scales = packed[:, :SCALE_BYTES].copy().view(np.float16).astype(np.float64)
    steps = packed[:, SCALE_BYTES:].copy().view(np.int8).astype(np.float64)
    weights = sixteen.astype(np.float64)
    errors = np.abs(steps * scales - weights)
    shares = errors / allowed(scales, weights)
    return Blocks(
        kind=kind,
        blocks=len(packed),
        outside=int((shares > 1).sum()),
        coarse=int(((np.abs(steps).max(1) != STEPS) & (scales[:, 0] > 0)).sum()),
        highest=float(shares.max()),
        error=float(np.square(errors).sum()),
        weight=float(np.square(weights).sum()),
    )


def allowed(scales: Floats, weights: Floats) -> Floats:
    """Return how far a value may lie from its 16-bit one.

    Half a step of the scale as it was before it was rounded to 16 bits; 127 times what the
    rounding changed; and what the 16-bit value was rounded by itself.
    """
    of_scale = np.maximum(scales * HALF_STEP, SMALLEST_HALF_STEP)
    of_weight = np.maximum(np.abs(weights) * HALF_STEP, SMALLEST_HALF_STEP)
    total: Floats = (scales + of_scale) / 2 + STEPS * of_scale + of_weight
    return total


def together(kind: str, parts: Iterable[Blocks]) -> Blocks:
    """Return tensors of one kind as one entry."""
    entries = list(parts)
    return Blocks(
        kind=kind,
        blocks=sum(entry.blocks for entry in entries),
        outside=sum(entry.outside for entry in entries),
        coarse=sum(entry.coarse for entry in entries),
        highest=max(entry.highest for entry in entries),
        error=sum(entry.error for entry in entries),
        weight=sum(entry.weight for entry in entries),
    )
