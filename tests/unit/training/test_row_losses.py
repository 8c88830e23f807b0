"""What validation rows lose at the best and the last checkpoint is kept beside the model."""

import pyarrow as pa
import pytest

from tasks.modeling.base_model import load_tokenizer
from tasks.modeling.chat import encode_example
from tasks.modeling.checkpoint_losses import CHECKPOINT_LOSSES, read_checkpoint_losses
from tasks.modeling.supervised import collate, token_losses
from tasks.modeling.tuned import WEIGHTS, load_model
from tasks.training.config import TrainingConfig
from tasks.training.method import METHODS
from tasks.training.train import train_model
from tests.ferry_rows import ferry_rows
from tests.killed import Killed, kill_after
from tests.tiny_models import tiny_base


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tiny_base(tmp_path_factory.mktemp("base"), "gemma3")


@pytest.fixture(scope="module")
def examples() -> pa.Table:
    """Validation answers contradict those that training repeats: soon its loss rises."""

    def cells(number: int) -> dict[str, str | None]:
        held_out = number % 4 == 3
        return {
            "answer": "No ship at all." if held_out else "A ship that carries cars.",
            "document_id": f"d{number}",
            "group_id": None if number == 3 else f"g{number // 8}",
            "split": "validation" if held_out else "train",
        }

    return ferry_rows(20, train=20, cells=cells)


def config(**changes) -> TrainingConfig:
    options = {"epochs": 4, "batch_size": 4, "learning_rate": 2e-2, "patience": 9}
    options |= {"evaluations_per_epoch": 2, "method": {"method": "full"}}
    return TrainingConfig.model_validate(options | changes)


def test_rows_are_kept_as_measured(base, examples, tmp_path):
    result = train_model(examples, base, config(), tmp_path, lambda point: None)
    found = read_checkpoint_losses(tmp_path)
    assert found is not None
    measured = [p for p in result.history if p.validation_loss is not None]
    assert found.checkpoints == len(measured) > 4
    assert (found.best_step, found.last_step) == (result.best_step, measured[-1].step)
    assert found.best_step < found.last_step, "the rows were made to overfit"
    assert sum(found.best) / sum(found.tokens) == pytest.approx(result.best_validation_loss)
    last = sum(found.last) / sum(found.tokens)
    assert last == pytest.approx(measured[-1].validation_loss)
    assert found.clusters == ["d3", "g0", "g1", "g1", "g2"]

    model = METHODS.get("full")().load(load_model(base), tmp_path / WEIGHTS).eval()
    tokenizer = load_tokenizer(base)
    held_out = [row for row in examples.to_pylist() if row["split"] == "validation"]
    encoded = [encode_example(tokenizer, row, 1024) for row in held_out]
    alone = [token_losses(model, collate([row], tokenizer.pad_token_id))[0] for row in encoded]
    assert found.best == pytest.approx([loss.sum().item() for loss in alone], rel=1e-4)
    assert found.tokens == [len(loss) for loss in alone]


def test_a_run_that_was_interrupted_keeps_the_same(base, examples, tmp_path):
    train_model(examples, base, config(), tmp_path / "whole", lambda point: None)
    with pytest.raises(Killed):
        train_model(examples, base, config(), tmp_path / "cut", kill_after(2.2))
    train_model(examples, base, config(), tmp_path / "cut", lambda point: None)
    whole, cut = (read_checkpoint_losses(tmp_path / name) for name in ("whole", "cut"))
    assert whole is not None
    assert cut == whole


def test_a_model_of_an_earlier_version_has_none(tmp_path):
    assert not (tmp_path / CHECKPOINT_LOSSES).exists()
    assert read_checkpoint_losses(tmp_path) is None
