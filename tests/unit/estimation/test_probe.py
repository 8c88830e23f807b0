"""Ten real steps on a tiny model, timed."""

import pytest

from data_contracts.errors import TrainingError
from tasks.estimation.config import RunShape
from tasks.estimation.probe import STEPS, StepTime, probe_steps
from tasks.training.methods.lora import Lora
from tests.tiny_models import tiny_base


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tiny_base(tmp_path_factory.mktemp("base"), "llama")


def shape(**changes) -> RunShape:
    told = {"batch_size": 2, "sequence_length": 24, "supervised_tokens": 8, "dtype": "float32"}
    return RunShape.model_validate(told | changes)


def test_ten_steps_are_timed_after_the_first_ones(base, tmp_path):
    found = probe_steps(base, Lora(), shape(gradient_accumulation=2), tmp_path)
    assert found.steps == STEPS == 10
    assert found.seconds > 0
    assert found.tokens_per_second == pytest.approx(2 * 2 * 24 / found.seconds)


def test_a_longer_step_takes_longer(base, tmp_path):
    short = probe_steps(base, Lora(), shape(), tmp_path / "a").seconds
    assert probe_steps(base, Lora(), shape(gradient_accumulation=8), tmp_path / "b").seconds > short


def test_the_whole_run_follows_from_the_step():
    step = StepTime(seconds=0.5, steps=10, tokens_per_second=1, peak_memory_bytes=1)
    assert step.whole(1_000, 2, shape(gradient_accumulation=5)) == pytest.approx(100)


def test_what_temper_does_not_train_by_here_is_refused(base, tmp_path):
    with pytest.raises(TrainingError, match="devices=1"):
        probe_steps(base, Lora(), shape(devices=2), tmp_path)
