"""Steps that leave outputs on anchor texts where they are (functionally invariant paths)."""

import torch
from torch import Tensor

from tasks.training.fisher import score
from tasks.training.mitigation import Guard, Run, trained

# Directions of no size at all have no part in the metric.
_LEAST = 1e-30


class InvariantPath(Guard):
    """Takes out of each step what changes the outputs on some anchor texts.

    Args:
        run: At its starting point.
        strength: Of the metric against the distance from the optimizer's step.
        directions: Anchor texts of the metric.
        every: Steps after which it is taken anew.
    """

    def __init__(self, run: Run, strength: float, directions: int, every: int) -> None:
        self.model, self.anchors = run.model, run.texts
        self.strength, self.every = strength, every
        self.wanted = min(directions, len(self.anchors.rows))
        self.directions: list[dict[str, Tensor]] = []
        self.before: dict[str, Tensor] = {}

    def before_step(self, step: int) -> None:
        """Remember the place, and take the metric anew if it is time."""
        if step % self.every == 0:
            self.directions = []  # before the new ones are made: they need the memory
            places = self.anchors.turn(step // self.every, self.wanted)
            scores = [score(self.model, self.anchors, place)[0] for place in places]
            self.directions = of_mean_size_one(scores)
        self.before = {name: p.detach().clone() for name, p in trained(self.model).items()}

    def after_step(self, step: int) -> None:
        """Edit the step."""
        with torch.no_grad():
            parameters = trained(self.model)
            change = {name: p - self.before[name] for name, p in parameters.items()}
            for weight, direction in zip(self._weights(change), self.directions, strict=True):
                for name, parameter in parameters.items():
                    parameter.sub_(direction[name], alpha=weight)
        self.before = {}

    def _weights(self, change: dict[str, Tensor]) -> list[float]:
        """Return how much of each direction to take out (Woodbury's identity)."""
        rows = self.directions
        gram = torch.tensor([[dot(left, right) for right in rows] for left in rows])
        along = torch.tensor([dot(row, change) for row in rows])
        regular = gram.double() + torch.eye(len(rows), dtype=torch.float64) / self.strength
        found: list[float] = torch.linalg.solve(regular, along.double()).tolist()
        return found

    def state(self) -> dict[str, Tensor]:
        """Return the metric: it is of weights that a resumed run no longer has."""
        return {
            f"{number}/{name}": value
            for number, direction in enumerate(self.directions)
            for name, value in direction.items()
        }

    def restore(self, state: dict[str, Tensor]) -> None:
        """Take the metric back."""
        parameters = trained(self.model)
        count = len(state) // len(parameters)
        self.directions = [
            {name: state[f"{number}/{name}"].to(p.device) for name, p in parameters.items()}
            for number in range(count)
        ]


def of_mean_size_one(rows: list[dict[str, Tensor]]) -> list[dict[str, Tensor]]:
    """Return the rows times one factor that makes their mean squared norm 1."""
    mean = sum(dot(row, row) for row in rows) / len(rows)
    factor = max(mean, _LEAST) ** -0.5
    return [{name: value * factor for name, value in row.items()} for row in rows]


def dot(left: dict[str, Tensor], right: dict[str, Tensor]) -> float:
    """Return the product of two sets of tensors as if each were one vector."""
    products = [(left[name].float() * value.float()).sum() for name, value in right.items()]
    return float(torch.stack(products).sum())
