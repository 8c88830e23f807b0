"""Sharpness of a minimum: how much the loss rises within a small ball around the weights.

Directions are random and scaled filter by filter (Li et al. 2018, arXiv 1712.09913, section 4),
so that a mere rescaling of weights changes nothing; biases and norms stay, as there. The mean
rise is over a random ball, the highest a lower bound of what sharpness-aware minimisation looks
for (Foret et al. 2021, arXiv 2010.01412, equation 1).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from data_contracts.front import Sharpness

ARTIFACT = "sharpness.json"


def sharpness(
    model: nn.Module, loss: Callable[[], float], radius: float, directions: int, seed: int
) -> Sharpness:
    """Measure how the loss rises in random directions; the weights are as before afterwards.

    Args:
        model: Its matrices are moved, each parameter once however often it is tied.
        loss: Measures the model as it stands.
        radius: Length of a step, as a share of each filter's own norm.
        directions: How many are tried.
        seed: Of the directions; on any device they are the same.
    """
    start = loss()
    rises = []
    for number in range(directions):
        with moved(model, radius, seed + number):
            rises.append(loss() - start)
    return Sharpness(
        radius=radius,
        directions=directions,
        seed=seed,
        loss=start,
        mean_rise=sum(rises) / len(rises),
        max_rise=max(rises),
    )


@contextmanager
def moved(model: nn.Module, radius: float, seed: int) -> Iterator[None]:
    """While active, each filter lies its norm times `radius` away in a random direction."""
    generator = torch.Generator().manual_seed(seed)
    weights = [p for p in model.parameters() if p.dim() > 1 and p.is_floating_point()]
    kept = [p.detach().clone() for p in weights]
    try:
        with torch.no_grad():
            for weight in weights:
                weight.add_(_direction(weight, generator), alpha=radius)
        yield
    finally:
        with torch.no_grad():
            for weight, before in zip(weights, kept, strict=True):
                weight.copy_(before)


def _direction(weight: Tensor, generator: torch.Generator) -> Tensor:
    """Return a random tensor whose filters (first axis) have the norms of the weight's."""
    drawn = torch.randn(weight.shape, generator=generator).to(weight.device)
    axes = tuple(range(1, weight.dim()))
    own = weight.float().norm(dim=axes, keepdim=True)
    scaled: Tensor = drawn * (own / drawn.norm(dim=axes, keepdim=True))
    return scaled.to(weight.dtype)
