"""What a front is: learning against forgetting, one point for each way to train."""

from typing import Any

from pydantic import Field

from data_contracts.base import Result
from data_contracts.results import Interval


class Sharpness(Result):
    """How the loss rises around a minimum, in nats per supervised token.

    Each direction is drawn with the seed and scaled filter by filter to the weights' own size
    (Li et al. 2018, arXiv 1712.09913, section 4), times the radius.
    """

    radius: float
    directions: int
    seed: int
    loss: float  # at the minimum itself
    mean_rise: float
    max_rise: float


class FrontPoint(Result):
    """A way to train, and what became of the model; without figures if it failed."""

    number: int
    name: str
    values: dict[str, Any]  # path of the configuration to value
    learning: Interval | None = None  # fall of the answers' cross-entropy on validation rows
    forgetting: Interval | None = None  # rise of general text's cross-entropy
    skill_loss: Interval | None = None  # share of general skills' items lost
    sharpness: Sharpness | None = None
    seconds: float = 0.0  # of training, wall
    processor_seconds: float = 0.0  # of training; 0 where it was not measured
    peak_memory_bytes: int = 0
    model: str | None = None
    predictions: str | None = None  # fingerprint of its evaluation, to pair it with another's
    run_id: str | None = None
    reason: str | None = None  # why there are no figures


class Front(Result):
    """All points, those that none beats on both axes, and the one that is recommended."""

    points: list[FrontPoint]
    pareto: list[int]  # numbers, least forgetting first
    recommended: int | None
    rule: str
    because: str
    test_learning: Interval | None = None  # of the recommended point alone, measured once
    base_sharpness: Sharpness | None = None

    def point(self, number: int) -> FrontPoint:
        """Return a point by its number."""
        return next(point for point in self.points if point.number == number)

    @property
    def measured(self) -> list[FrontPoint]:
        """The points that have both figures."""
        return [p for p in self.points if p.learning is not None and p.forgetting is not None]


class TransferFigures(Result):
    """Transfer between document sets in a sequence, in nats per token.

    Of transfer more is better, of forgetting less.
    """

    backward: float  # Lopez-Paz and Ranzato 2017, section 3, with the loss's sign turned
    forward: float | None  # the same source; None for a single set
    forgetting: list[float]  # after each step from the second on (Chaudhry et al. 2018, section 3)


class ContinualArm(Result):
    """One way to go through the sequence."""

    name: str
    losses: list[list[float]]  # row: after so many steps, the base first; column: set
    text: list[float]  # loss on general text, likewise
    transfer: TransferFigures
    # Rises of losses on the same rows, paired; None where a set has too few groups of rows.
    lost: list[Interval | None] = Field(
        description="Of each set but the last: from the step that learned it to the end."
    )
    text_lost: Interval | None = Field(description="Of general text: from the base to the end.")
    beside_first: list[Interval | None] = Field(
        description="Of each set, at the end: this way's loss less the first way's. Empty for it."
    )
    text_beside_first: Interval | None
    models: list[str] = Field(description="Fingerprints, one a step.")
    seconds: list[float]


class ContinualResult(Result):
    """What was kept of each document set while the next ones were learned."""

    sets: list[str]
    rows: list[int]  # test rows of each set
    arms: list[ContinualArm]
