"""What training tells MLflow and Prefect's page: everything, but not at every step."""

import mlflow
import pytest

from data_contracts.results import TrainingPoint
from tasks.training.told import MOST_POINTS, Told, told


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def run(tmp_path):
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/mlflow.db")
    with mlflow.start_run() as started:
        yield started.info.run_id


def point(step: int) -> TrainingPoint:
    return TrainingPoint(step=step, epoch=step / 10, train_loss=step + 0.5, learning_rate=1e-3)


def logged(run: str, name: str = "train_loss") -> list[tuple[int, float]]:
    return [(m.step, m.value) for m in mlflow.MlflowClient().get_metric_history(run, name)]


def test_the_first_point_is_told_at_once_and_those_within_a_second_together(run):
    clock, shown = Clock(), []
    points = Told(mlflow, shown.append, clock)
    points.add(point(1))
    assert logged(run) == [(1, 1.5)]
    for step in (2, 3):
        clock.now += 0.4
        points.add(point(step))
    assert logged(run) == [(1, 1.5)]
    clock.now += 0.4
    points.add(point(4))
    assert logged(run) == [(step, step + 0.5) for step in (1, 2, 3, 4)]
    assert [each.step for each in shown] == [1, 4]


@pytest.mark.parametrize(("takes", "waits"), [(0.01, 1.0), (0.2, 10.0), (90.0, 60.0)])
def test_a_telling_that_takes_long_is_waited_for_longer(run, takes, waits):
    clock = Clock()

    def show(_point: TrainingPoint) -> None:
        clock.now += takes

    points = Told(mlflow, show, clock)
    points.add(point(1))
    clock.now += waits - 0.1
    points.add(point(2))
    assert logged(run) == [(1, 1.5)]
    clock.now += 0.2
    points.add(point(3))
    assert len(logged(run)) == 3


def test_a_loss_that_was_not_measured_is_not_logged(run):
    Told(mlflow, lambda _point: None, Clock()).add(point(1))
    assert set(mlflow.get_run(run).data.metrics) == {"train_loss", "learning_rate"}


def test_what_waits_is_told_before_mlflow_would_refuse_so_much(run):
    points = Told(mlflow, lambda _point: None, Clock())
    for step in range(MOST_POINTS + 1):
        points.add(point(step))
    assert len(logged(run)) == MOST_POINTS + 1


def test_what_waits_is_told_when_training_fails(run):
    shown = []
    with pytest.raises(RuntimeError):
        fail_after_three_points(shown)
    assert [step for step, _ in logged(run)] == [1, 2, 3]
    assert shown[-1].step == 3


def fail_after_three_points(shown: list[TrainingPoint]) -> None:
    with told(mlflow, shown.append) as add:
        for step in (1, 2, 3):
            add(point(step))
        raise RuntimeError("out of memory")
