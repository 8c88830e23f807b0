"""A training that is cut off."""

from collections.abc import Callable

from data_contracts.results import TrainingPoint


class Killed(BaseException):
    """Stands for the end of the process: nothing of ours may catch it."""


def kill_after(epoch: float) -> Callable[[TrainingPoint], None]:
    """Return what ends a training at its first evaluation after so many epochs."""

    def kill(point: TrainingPoint) -> None:
        if point.validation_loss is not None and point.epoch > epoch:
            raise Killed

    return kill
