"""Several processes train as one does, and go on after one of them was killed."""

from pathlib import Path

import psutil
import pyarrow.parquet as pq
import pytest
from safetensors.torch import load_file

from data_contracts.dataset import KEPT, DatasetRef, read_kept
from data_contracts.errors import TrainingError
from tasks.modeling.tuned import WEIGHTS
from tasks.training.config import TrainingConfig
from tasks.training.processes import train_in_processes
from tasks.training.train import train_model
from tests.ferry_rows import ferry_rows
from tests.tiny_models import tiny_base

pytestmark = pytest.mark.timeout(600)

# Sums in another order, in single precision.
TOLERANCE = 1e-3


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tiny_base(tmp_path_factory.mktemp("base"), "gemma3")


@pytest.fixture(scope="module")
def examples(tmp_path_factory) -> DatasetRef:
    """Rows of unlike length whose number no batch divides: 21 for training, 5 for validation."""
    answer = "A ferry is a ship that carries cars"
    rows = ferry_rows(
        26, train=21, cells=lambda n: {"answer": answer + " and people" * (n % 3) + "."}
    )
    folder = tmp_path_factory.mktemp("examples")
    pq.write_table(rows, folder / KEPT)
    return DatasetRef(
        stage="augmentation", fingerprint="f", folder=str(folder), content_sha256="0", rows=26
    )


def config(processes: int, sharding: str, method: str, epochs: int = 2) -> TrainingConfig:
    return TrainingConfig.model_validate(
        {
            "method": {"method": method},
            "processes": processes,
            "sharding": sharding,
            "epochs": epochs,
            "batch_size": 4,
            "learning_rate": 5e-3,
            "evaluations_per_epoch": 1,
            "patience": 9,
        }
    )


def losses(points) -> dict[tuple[int, str], float]:
    """Return every measured loss by step and name."""
    names = ("train_loss", "validation_loss")
    found = {(p.step, name): getattr(p, name) for p in points for name in names}
    return {key: value for key, value in found.items() if value is not None}


def assert_same_weights(left: Path, right: Path) -> None:
    one, two = (load_file(next((f / WEIGHTS).glob("*.safetensors"))) for f in (left, right))
    assert one.keys() == two.keys()
    # Adam makes a full step of a gradient that is zero but for rounding.
    assert all((one[name] - two[name]).abs().mean() < 1e-3 for name in one)


@pytest.mark.parametrize("sharding", ["none", "fsdp"])
def test_two_processes_have_the_loss_curve_of_one(sharding, base, examples, tmp_path):
    alone, together = [], []
    options = config(1, "none", "lora")
    train_model(read_kept(examples), base, options, tmp_path / "a", alone.append)
    options = config(2, sharding, "lora")
    result = train_in_processes(examples, base, options, tmp_path / "b", together.append)
    assert losses(together) == pytest.approx(losses(alone), rel=TOLERANCE)
    assert (result.steps, result.examples) == (12, 21)
    assert_same_weights(tmp_path / "a", tmp_path / "b")
    assert not (tmp_path / "b" / "checkpoints").exists()


@pytest.mark.parametrize(("sharding", "method"), [("none", "lora"), ("fsdp", "full")])
def test_a_run_goes_on_after_one_process_was_killed(sharding, method, base, examples, tmp_path):
    whole, before, after = [], [], []
    epochs = 6  # so many are left on a busy machine, too, when the first two were heard of
    options = config(1, "none", method, epochs)
    train_model(read_kept(examples), base, options, tmp_path / "a", whole.append)

    def kill_one(point):
        before.append(point)
        if point.validation_loss is not None and point.epoch > 1.2:
            for worker in workers()[-1:]:  # none are left when the last points are heard of
                worker.kill()

    options = config(2, sharding, method, epochs)
    with pytest.raises(TrainingError, match="Run again"):
        train_in_processes(examples, base, options, tmp_path / "b", kill_one)
    assert not workers()
    train_in_processes(examples, base, options, tmp_path / "b", after.append)
    assert after[0].step > 6, "it began anew"
    assert losses([*before, *after]) == pytest.approx(losses(whole), rel=TOLERANCE)
    assert_same_weights(tmp_path / "a", tmp_path / "b")


def workers() -> list[psutil.Process]:
    """Return the processes that train, without the launcher."""
    below = psutil.Process().children(recursive=True)
    return [
        process
        for process in below
        if process.is_running()
        and "tasks.training.worker" in process.cmdline()
        and "accelerate.commands.launch" not in process.cmdline()
    ]
