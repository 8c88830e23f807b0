"""LwF: on anchor texts the model is to go on saying what it said."""

from typing import ClassVar, Literal

from pydantic import Field

from tasks.training.mitigation import MITIGATIONS, Guard, Mitigation, Run


@MITIGATIONS.register
class Lwf(Mitigation):
    """Learning without forgetting: the divergence from the base on anchor texts joins the loss.

    The base's predictions are computed once, at the start, and its likeliest tokens kept: no
    second model stays in memory. A step costs one more pass, through `batch` anchor texts.
    """

    source: ClassVar[str] = "Li and Hoiem 2016, arXiv 1606.09282"
    strength_option: ClassVar[str] = "strength"
    needs_anchors: ClassVar[bool] = True

    mitigation: Literal["lwf"] = "lwf"
    strength: float = Field(
        1.0, ge=0, description="Weight of the divergence; at 1 a nat of drift costs a nat of loss."
    )
    batch: int = Field(8, ge=1, description="Anchor texts of a forward pass; they take turns.")
    likeliest: int = Field(
        64,
        ge=1,
        description="The base's likeliest tokens kept at each position, 8 bytes each; all others "
        "count as one.",
    )

    def start(self, run: Run) -> Guard:
        """Ask the base what it says on the anchor texts."""
        from tasks.training.distillation import Distillation

        return Distillation(run, self.strength, self.batch, self.likeliest)
