"""A spring to the starting point: what EWC and L2-SP add to the loss."""

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from tasks.training.mitigation import Guard, Run, trained


class Spring(Guard):
    """Pulls every trained parameter back to where it started, some harder than others.

    Args:
        run: At its starting point.
        strength: Of the whole.
        stiffness: Weight of each parameter's squared distance; 1 for all where it is None.
    """

    def __init__(
        self, run: Run, strength: float, stiffness: dict[str, Tensor] | None = None
    ) -> None:
        self.parameters, self.strength = trained(run.model), strength
        self.start = {name: p.detach().clone().float() for name, p in self.parameters.items()}
        self.stiffness = stiffness

    def penalty(self, step: int) -> Tensor:
        """Return strength / 2 times the weighted sum of squared distances."""
        distances = []
        for name, parameter in self.parameters.items():
            square = (parameter.float() - self.start[name]).square()
            distances.append((square * self.stiffness[name] if self.stiffness else square).sum())
        return self.strength / 2 * torch.stack(distances).sum()


class KeptSpring(Spring):
    """A spring whose stiffness is left beside the tuned weights.

    Args:
        run: At its starting point.
        strength: Of the whole.
        stiffness: Of each parameter.
        file: Name of the file.
    """

    def __init__(self, run: Run, strength: float, stiffness: dict[str, Tensor], file: str) -> None:
        super().__init__(run, strength, stiffness)
        self.kept, self.file = stiffness, file

    def finish(self, folder: Path) -> dict[str, float]:
        """Write the stiffness."""
        save_file(self.kept, folder / self.file)
        return {}
