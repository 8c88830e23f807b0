"""What learning one document set does to the others, from a matrix of losses."""

from collections.abc import Sequence
from statistics import fmean

from data_contracts.errors import TooFewRows
from data_contracts.front import TransferFigures

Matrix = Sequence[Sequence[float]]


def transfer_figures(losses: Matrix) -> TransferFigures:
    """Return backward and forward transfer and forgetting.

    The sources measure accuracies; a loss counts with its sign turned, so that a positive
    transfer is a gain and positive forgetting a loss, as there.

    Args:
        losses: Row i holds the loss on each set after i steps, row 0 that of the base; shape
            (sets + 1, sets).

    Raises:
        TooFewRows: There are fewer than two sets, or the shape is another one.
    """
    sets = len(losses) - 1
    if sets < 2 or any(len(row) != sets for row in losses):
        raise TooFewRows(
            f"Transfer needs two or more sets and a loss for each after each step, got rows of "
            f"{[len(row) for row in losses]} losses."
        )
    last = losses[-1]
    # Lopez-Paz and Ranzato 2017 (arXiv 1706.08840), equations 2 and 3
    backward = fmean(losses[j + 1][j] - last[j] for j in range(sets - 1))
    forward = fmean(losses[0][j] - losses[j][j] for j in range(1, sets))
    return TransferFigures(
        backward=backward,
        forward=forward,
        forgetting=[_forgetting(losses, step) for step in range(2, sets + 1)],
    )


def _forgetting(losses: Matrix, step: int) -> float:
    """Chaudhry et al. 2018 (arXiv 1801.10112), section 3: against the best since the first step."""
    now = losses[step]
    return fmean(
        now[j] - min(losses[before][j] for before in range(1, step)) for j in range(step - 1)
    )
