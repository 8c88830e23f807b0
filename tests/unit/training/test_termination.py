"""SIGTERM while a model trains: nothing that was trained is lost, and the run ends."""

import signal

import pytest
import torch
from safetensors.torch import load_file

from tasks.modeling.tuned import WEIGHTS
from tasks.training.checkpoints import newest_checkpoint
from tasks.training.config import TrainingConfig
from tasks.training.train import train_model
from tests.ferry_rows import ferry_rows
from tests.killed import Killed
from tests.tiny_models import tiny_base

# Six steps an epoch, an evaluation and so a checkpoint every three.
CONFIG = TrainingConfig.model_validate({"epochs": 2, "batch_size": 4, "learning_rate": 5e-3})


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tiny_base(tmp_path_factory.mktemp("base"), "gemma3")


def end(number, frame):
    raise Killed


@pytest.fixture(autouse=True)
def ended_by_sigterm():
    """Stands for Prefect's handler, which ends the run."""
    before = signal.signal(signal.SIGTERM, end)
    yield
    assert signal.getsignal(signal.SIGTERM) is end
    signal.signal(signal.SIGTERM, before)


def terminated_at(step, times=1):
    def tell(point):
        if point.step == step and point.train_loss is not None:
            for _ in range(times):
                signal.raise_signal(signal.SIGTERM)

    return tell


def adapter(folder):
    (file,) = (folder / WEIGHTS).glob("*.safetensors")
    return load_file(file)


def test_a_terminated_training_goes_on_after_its_last_step(base, tmp_path):
    rows = ferry_rows(30, train=24)
    whole = train_model(rows, base, CONFIG, tmp_path / "whole", lambda point: None)
    with pytest.raises(Killed):
        train_model(rows, base, CONFIG, tmp_path / "cut", terminated_at(7))
    kept = {path.name for path in (tmp_path / "cut" / "checkpoints").iterdir()}
    assert kept == {"checkpoint-3", "checkpoint-6", "checkpoint-8"}  # the last one evaluated, too
    seen = []
    again = train_model(rows, base, CONFIG, tmp_path / "cut", seen.append)
    assert min(point.step for point in seen) == 9
    assert again.best_validation_loss == whole.best_validation_loss
    first, second = adapter(tmp_path / "whole"), adapter(tmp_path / "cut")
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_the_run_ends_though_its_checkpoint_cannot_be_handed_on(base, tmp_path):
    def lost():
        raise OSError("no disk")

    rows = ferry_rows(30, train=24)
    with pytest.raises(Killed):
        train_model(rows, base, CONFIG, tmp_path, terminated_at(7), lost)
    assert newest_checkpoint(tmp_path / "checkpoints").name == "checkpoint-8"


def test_a_second_signal_ends_at_once(base, tmp_path):
    with pytest.raises(Killed):
        train_model(ferry_rows(30, train=24), base, CONFIG, tmp_path, terminated_at(4, times=2))
    checkpoint = newest_checkpoint(tmp_path / "checkpoints")
    assert checkpoint is not None
    assert checkpoint.name == "checkpoint-3"
