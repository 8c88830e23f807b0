"""What one way through a sequence kept, with intervals on the same rows."""

from collections.abc import Sequence
from dataclasses import dataclass

from data_contracts.dataset import DatasetRef, read_kept
from data_contracts.front import ContinualArm
from data_contracts.results import Interval
from tasks.continual.transfer import transfer_figures
from tasks.evaluation.config import EvaluationConfig

SPLIT, TEXT = "test", "general_text"


@dataclass(frozen=True)
class Walk:
    """A way that was gone to its end.

    Attributes:
        name: Of the way.
        steps: For each model, the base first: its predictions on the rows of each set. Those on
            the first set hold general text, too.
        models: Fingerprints of the trained models, one a step.
        seconds: Of each training, wall.
    """

    name: str
    steps: Sequence[Sequence[DatasetRef]]
    models: Sequence[str]
    seconds: Sequence[float]


def arm_of(walk: Walk, first: Walk, config: EvaluationConfig) -> ContinualArm:
    """Return a way's figures, and how it ended beside the first way.

    Args:
        walk: The way.
        first: The way that others are compared with.
        config: Of the intervals.
    """
    losses = [[mean_loss(one, SPLIT) for one in step] for step in walk.steps]
    base, end, plain = walk.steps[0], walk.steps[-1], first.steps[-1]
    earlier = range(len(end) - 1)
    beside = [] if walk is first else zip(plain, end, strict=True)
    return ContinualArm(
        name=walk.name,
        losses=losses,
        text=[mean_loss(step[0], TEXT) for step in walk.steps],
        transfer=transfer_figures(losses),
        lost=[loss_change(walk.steps[at + 1][at], end[at], SPLIT, config) for at in earlier],
        text_lost=loss_change(base[0], end[0], TEXT, config),
        beside_first=[loss_change(other, own, SPLIT, config) for other, own in beside],
        text_beside_first=(None if walk is first else loss_change(plain[0], end[0], TEXT, config)),
        models=list(walk.models),
        seconds=list(walk.seconds),
    )


def loss_change(
    before: DatasetRef, after: DatasetRef, set_: str, config: EvaluationConfig
) -> Interval | None:
    """Return by how much a loss rose, in nats per token; the same rows are paired.

    None where the set has fewer than two independent groups of rows.
    """
    from tasks.evaluation.compare import compare

    found = compare(read_kept(before), read_kept(after), config).find(set_, "cross_entropy")
    return None if found is None else found.delta


def mean_loss(predictions: DatasetRef, set_: str) -> float:
    """Return the mean cross-entropy of a set in nats per token; nan where it has no rows."""
    rows = read_kept(predictions).to_pylist()
    pairs = [(row["cross_entropy"], row["n_tokens"]) for row in rows if row["set"] == set_]
    tokens = sum(count for _, count in pairs)
    return sum(loss * count for loss, count in pairs) / tokens if tokens else float("nan")
