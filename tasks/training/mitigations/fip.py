"""FIP: every step is taken along a path on which the outputs on anchor texts stay."""

from typing import ClassVar, Literal

from pydantic import Field

from tasks.training.mitigation import MITIGATIONS, Guard, Mitigation, Run


@MITIGATIONS.register
class Fip(Mitigation):
    """Functionally invariant paths: what a step would change on anchor texts is taken out of it.

    The metric is the outputs' on a few anchor texts, drawn anew after some steps. Of all steps
    the one is taken that is closest to the optimizer's and changes least there: with
    directions J and the optimizer's step d it is (1 + strength · JᵀJ)⁻¹ d. The step is edited
    and not the gradient, since Adam would turn an edited gradient back.
    """

    source: ClassVar[str] = "Raghavan and Thomson 2024, Nature Machine Intelligence 6"
    strength_option: ClassVar[str] = "strength"
    needs_anchors: ClassVar[bool] = True

    mitigation: Literal["fip"] = "fip"
    strength: float = Field(
        10.0,
        ge=0,
        description="Along a direction of mean size a step shrinks to 1 / (1 + strength).",
    )
    directions: int = Field(
        8, ge=1, description="Anchor texts of the metric; each is a copy of the trained parameters."
    )
    every: int = Field(5, ge=1, description="Steps after which the metric is taken anew.")

    @property
    def memory_copies(self) -> int:
        """How many copies of the trained parameters it keeps: directions, and the last place."""
        return self.directions + 1

    def start(self, run: Run) -> Guard:
        """Return the guard that edits steps."""
        from tasks.training.invariant_path import InvariantPath

        return InvariantPath(run, self.strength, self.directions, self.every)
