"""WiSE-FT: after training the model goes part of the way back to where it started."""

from bisect import bisect_left
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from tasks.training.mitigation import MITIGATIONS, VALIDATION_LOSS, Guard, Mitigation, Run, trained

if TYPE_CHECKING:
    from torch import Tensor


@MITIGATIONS.register
class WiseFt(Mitigation):
    """Interpolation between base and tuned model, as far back as validation allows.

    The smallest coefficient is taken that keeps the wanted share of what training gained on
    the validation rows. Costs nothing while training, and a few evaluations on them after.
    """

    source: ClassVar[str] = "Wortsman et al. 2022, arXiv 2109.01903"
    strength_option: ClassVar[str] = "given_up"
    copies: ClassVar[int] = 1

    mitigation: Literal["wise_ft"] = "wise_ft"
    given_up: float = Field(
        0.05,
        ge=0,
        lt=1,
        description="Share of the gain in validation loss that may be given up for a model "
        "closer to its base; at 0 nothing is done.",
    )
    points: int = Field(20, ge=2, description="Coefficients tried, evenly from 0 to 1.")

    def start(self, run: Run) -> Guard:
        """Keep the starting point."""
        return _Line(run, self.given_up, self.points)


class _Line(Guard):
    def __init__(self, run: Run, given_up: float, points: int) -> None:
        self.given_up, self.points = given_up, points
        self.loss: Callable[[], float] = run.validation_loss
        self.parameters = trained(run.model)
        self.start = {name: p.detach().clone() for name, p in self.parameters.items()}

    def finish(self, folder: Path) -> dict[str, float]:
        """Go back as far as is allowed."""
        self.end = {name: p.detach().clone() for name, p in self.parameters.items()}
        tuned, base = self._loss_at(1.0), self._loss_at(0.0)
        allowed = tuned + self.given_up * max(0.0, base - tuned)
        # by halves: between the two the loss falls, and the tuned model itself is always allowed
        coefficients = [point / self.points for point in range(self.points)] + [1.0]
        point = bisect_left(
            coefficients[:-1], True, key=lambda coefficient: self._loss_at(coefficient) <= allowed
        )
        coefficient = coefficients[point]
        return {"coefficient": coefficient, VALIDATION_LOSS: self._loss_at(coefficient)}

    def _loss_at(self, coefficient: float) -> float:
        import torch

        with torch.no_grad():
            for name, parameter in self.parameters.items():
                part = 1.0 if self._is_factor_of_nothing(name) else coefficient
                parameter.copy_(torch.lerp(self.start[name], self.end[name], part))
        return self.loss()

    def _is_factor_of_nothing(self, name: str) -> bool:
        """Return whether a matrix is the first of a product that began as zero.

        Then the second alone goes back, so that the product, which is what is added to the
        weights, goes back in proportion.
        """
        other: Tensor | None = self.start.get(name.replace(".lora_A.", ".lora_B."))
        return ".lora_A." in name and other is not None and not other.any()
