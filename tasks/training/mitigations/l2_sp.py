"""L2-SP: every trained parameter is drawn back to its starting point."""

from typing import ClassVar, Literal

from pydantic import Field

from tasks.training.mitigation import MITIGATIONS, Guard, Mitigation, Run


@MITIGATIONS.register
class L2Sp(Mitigation):
    """Weight decay towards the starting point instead of towards zero.

    Needs no text and hardly any time, and knows not which parameters matter. Set
    `training.weight_decay` to 0 beside it, or the two pull in different directions.
    """

    source: ClassVar[str] = "Li et al. 2018, arXiv 1802.01483"
    strength_option: ClassVar[str] = "strength"
    copies: ClassVar[int] = 1

    mitigation: Literal["l2_sp"] = "l2_sp"
    # Ours: the distance grows with the number of parameters, so no value fits all models.
    strength: float = Field(
        0.1, ge=0, description="Half of this times the squared distance joins the loss."
    )

    def start(self, run: Run) -> Guard:
        """Keep the starting point."""
        from tasks.training.quadratic import Spring

        return Spring(run, self.strength)
