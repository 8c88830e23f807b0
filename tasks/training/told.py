"""Tells MLflow the losses and Prefect's page how far training is, at most once a second.

A telling is a transaction and a request, which can take longer than a step does: the next waits
fifty times as long as it took. Nothing is left out: points that come sooner are told together,
each with its own time.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from data_contracts.results import TrainingPoint

SECONDS_BETWEEN = 1.0

# So that telling takes no more than a fiftieth of training, which took a seventh longer when it
# was told once a second (the large work of docs/results/machinery.md); but a server that
# hung for a while is not left without news for long.
TIMES_AS_LONG, MOST_SECONDS = 50, 60.0

# MLflow takes a thousand at once, and a point has three.
MOST_POINTS = 300


class Told:
    """Collects points until it is time to tell them.

    Args:
        mlflow: The `mlflow` module; its active run gets the losses.
        show: Shows a point as progress; the newest of those told together.
        clock: Tells seconds.
    """

    def __init__(
        self,
        mlflow: Any,
        show: Callable[[TrainingPoint], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = mlflow.MlflowClient()
        self._run_id = mlflow.active_run().info.run_id
        self._show = show
        self._clock = clock
        self._waiting: list[tuple[int, TrainingPoint]] = []
        self._next = float("-inf")

    def add(self, point: TrainingPoint) -> None:
        """Take a point; tell it now if the last telling is long enough ago."""
        self._waiting.append((int(time.time() * 1000), point))
        if self._clock() >= self._next or len(self._waiting) >= MOST_POINTS:
            self.tell()

    def tell(self) -> None:
        """Tell what waits."""
        from mlflow.entities import Metric

        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        began = self._clock()
        metrics = [
            Metric(name, value, moment, point.step)
            for moment, point in waiting
            for name, value in point.model_dump(exclude={"step", "epoch"}).items()
            if value is not None
        ]
        self._client.log_batch(self._run_id, metrics=metrics)
        self._show(waiting[-1][1])
        ended = self._clock()
        wait = max(SECONDS_BETWEEN, TIMES_AS_LONG * (ended - began))
        self._next = ended + min(wait, MOST_SECONDS)


@contextmanager
def told(
    mlflow: Any, show: Callable[[TrainingPoint], None]
) -> Iterator[Callable[[TrainingPoint], None]]:
    """Yield what is called with each point; what still waits is told at the end.

    Also when training fails: what it reached until then is what shows why.
    """
    points = Told(mlflow, show)
    try:
        yield points.add
    finally:
        points.tell()
