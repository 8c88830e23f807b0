"""What Prefect's page of a run shows."""

import base64
from xml.etree import ElementTree

import pytest

from data_contracts.results import TrainingPoint, TrainingResult
from tasks.report.run_page import headline, loss_picture, run_address


def training(history):
    return TrainingResult(
        method="lora",
        trainable_parameters=1,
        total_parameters=2,
        examples=3,
        tokens=4,
        supervised_tokens=5,
        steps=20,
        epochs=1.0,
        best_step=10,
        best_validation_loss=1.5,
        stopped_early=False,
        seconds=1.0,
        peak_memory_bytes=1,
        history=history,
    )


def test_the_loss_picture_is_an_image_with_a_line_for_each_curve():
    history = [
        TrainingPoint(step=step, epoch=step / 20, train_loss=3 / step, validation_loss=4 / step)
        for step in (1, 10, 20)
    ]
    kind, _, data = str(loss_picture(training(history))).partition(",")
    assert kind == "data:image/svg+xml;base64"
    drawn = ElementTree.fromstring(base64.b64decode(data))
    lines = list(drawn.iter("{http://www.w3.org/2000/svg}polyline"))
    assert [len(line.get("points").split()) for line in lines] == [3, 3]


def test_the_headline_tells_the_loss_to_a_thousandth():
    assert "loss 1.500 at step 10 of 20" in headline(training([]))


def test_without_a_loss_there_is_no_picture():
    assert loss_picture(training([])) is None


@pytest.mark.parametrize("place", [None, "sqlite:////home/mlflow.db", "file:///mlruns"])
def test_no_link_where_nothing_serves_the_run(place):
    assert run_address(place, "1", "abc") is None


def test_the_link_leads_to_the_run():
    assert run_address("https://mlflow.org/", "7", "abc") == (
        "https://mlflow.org/#/experiments/7/runs/abc"
    )
