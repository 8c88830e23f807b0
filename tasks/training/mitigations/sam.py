"""SAM: each step is taken by the gradient at the worst point nearby."""

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from tasks.training.mitigation import MITIGATIONS, Guard, Mitigation, Run, trained

if TYPE_CHECKING:
    from torch import Tensor, nn


@MITIGATIONS.register
class Sam(Mitigation):
    """Sharpness-aware minimisation: twice the passes, for a flatter minimum.

    Flat minima go with less forgetting in language models (Li et al. 2024, arXiv 2406.04836).
    The worst point is sought for each batch on its own, accumulated or not.
    """

    source: ClassVar[str] = "Foret et al. 2021, arXiv 2010.01412"
    strength_option: ClassVar[str] = "rho"
    copies: ClassVar[int] = 2  # the parameters, and the gradient so far

    mitigation: Literal["sam"] = "sam"
    rho: float = Field(
        0.05, ge=0, description="Radius of the neighbourhood in the trained parameters' norm."
    )

    def start(self, run: Run) -> Guard:
        """Remember which parameters are trained."""
        return _Climb(run.model, self.rho)


class _Climb(Guard):
    def __init__(self, model: "nn.Module", rho: float) -> None:
        self.parameters, self.rho = list(trained(model).values()), rho

    def backward(self, once: "Callable[[], Tensor]") -> "Tensor":
        """Go to the worst point of the neighbourhood, take its gradient, come back."""
        import torch

        earlier = self._take_gradients()
        loss = once()
        uphill = self._take_gradients()
        places = [parameter.detach().clone() for parameter in self.parameters]
        norms = [gradient.norm() for gradient in uphill if gradient is not None]
        scale = self.rho / torch.stack(norms).norm().clamp_min(1e-12)
        with torch.no_grad():
            for parameter, gradient in zip(self.parameters, uphill, strict=True):
                if gradient is not None:
                    parameter.add_(gradient * scale)
            del uphill
            with torch.enable_grad():
                once()
            for parameter, place, before in zip(self.parameters, places, earlier, strict=True):
                parameter.copy_(place)
                if before is not None:
                    parameter.grad = before if parameter.grad is None else parameter.grad + before
        return loss

    def _take_gradients(self) -> "list[Tensor | None]":
        taken = [parameter.grad for parameter in self.parameters]
        for parameter in self.parameters:
            parameter.grad = None
        return taken
