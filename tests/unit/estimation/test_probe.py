"""Ten real steps on a tiny model, timed."""

import pytest

from data_contracts.errors import TrainingError
from tasks.estimation.config import RunShape
from tasks.estimation.devices import on_devices
from tasks.estimation.estimate import MemoryEstimate
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


def memory(weights: int, trained: int) -> MemoryEstimate:
    named = {name: 0 for name in MemoryEstimate.model_fields} | {"moment": "loss"}
    return MemoryEstimate.model_validate(
        named | {"weights": weights, "trainable_parameters": trained}
    )


@pytest.mark.parametrize(
    ("options", "sent"),
    [
        # 10^9 gradients of 4 bytes, 3/4 of them round the ring twice
        ({"parallel": "ddp"}, 2 * 4e9 * 3 / 4),
        ({"parallel": "ddp", "gradient_accumulation": 2}, 2 * 4e9 * 3 / 4),
        # 4 x 2 GB of weights twice, and the gradients, in each forward pass
        ({"parallel": "fsdp"}, (2 * 8e9 + 4e9) * 3 / 4),
        ({"parallel": "fsdp", "gradient_accumulation": 2}, 2 * (2 * 8e9 + 4e9) * 3 / 4),
    ],
)
def test_on_several_devices_a_step_takes_what_it_takes_alone_and_what_is_sent(options, sent):
    step = StepTime(seconds=2.0, steps=10, tokens_per_second=1, peak_memory_bytes=1)
    several = shape(devices=4, **options)
    found = on_devices(step, memory(int(2e9), int(1e9)), several, 10.0)
    assert found.sent == sent
    assert found.least_seconds == max(2.0, sent / 10e9)
    assert found.most_seconds == pytest.approx(2.0 + sent / 10e9)
    assert found.rows == 4 * 2 * several.gradient_accumulation
    steps = 3 * 1_000 / found.rows
    expected = (found.least_seconds * steps, found.most_seconds * steps)
    assert found.whole(1_000, 3) == pytest.approx(expected)


def test_what_temper_does_not_train_by_here_is_refused(base, tmp_path):
    with pytest.raises(TrainingError, match="devices=1"):
        probe_steps(base, Lora(), shape(devices=2), tmp_path)
