"""EWC: parameters that general text depends on are held in place."""

from typing import ClassVar, Literal

from pydantic import Field

from tasks.training.mitigation import MITIGATIONS, Guard, Mitigation, Run


@MITIGATIONS.register
class Ewc(Mitigation):
    """Elastic weight consolidation: a spring on each weight, as stiff as its Fisher information.

    The Fisher information is taken on the anchor texts at the starting point, its diagonal
    alone. Of an adapter it is that of the adapter's own parameters.
    """

    source: ClassVar[str] = "Kirkpatrick et al. 2017, arXiv 1612.00796"
    strength_option: ClassVar[str] = "strength"
    needs_anchors: ClassVar[bool] = True
    copies: ClassVar[int] = 2  # starting point and Fisher information

    mitigation: Literal["ewc"] = "ewc"
    # At 1 the penalty is, to second order and for a diagonal Fisher information, the divergence
    # from the base in nats per token: general text weighs as much as the task.
    strength: float = Field(
        1.0, ge=0, description="Weight of the penalty; at 1 a nat of drift costs a nat of loss."
    )

    def start(self, run: Run) -> Guard:
        """Take the Fisher information at the starting point."""
        from tasks.training.fisher import diagonal_fisher
        from tasks.training.quadratic import Spring

        return Spring(run, self.strength, diagonal_fisher(run.model, run.texts))
