"""What every method that says so must do on a base that is held in bfloat16.

Run on the processor, where bfloat16 has to be asked for; no accelerator was at hand. The base is
frozen, what is trained is in single precision, and products are in bfloat16 by autocast.
"""

import shutil
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from pydantic import ValidationError

from data_contracts.results import BaseModelRef
from tasks.modeling.base_model import load_model, load_tokenizer
from tasks.modeling.chat import encode_example
from tasks.modeling.supervised import Batch, collate, token_losses
from tasks.modeling.tuned import WEIGHTS
from tasks.training import train as training
from tasks.training.base_precision import held_base
from tasks.training.config import TrainingConfig
from tasks.training.method import METHODS
from tests.contracts.test_methods import config, method_of, tensors
from tests.ferry_rows import ferry_rows
from tests.tiny_models import tiny_base

pytestmark = pytest.mark.usefixtures("libraries_are_no_garbage")

_DEFAULTS = {name: METHODS.get(name)(method=name) for name in METHODS.names()}
HALVED = [n for n, m in _DEFAULTS.items() if not (m.needs_float32() or m.packs_base)]
WIDE = [name for name in _DEFAULTS if name not in HALVED]

# Between a loss with autocast, as in training, and one without, as in an evaluation: 8 bits.
ROUNDING = 0.02


def half(name: str) -> TrainingConfig:
    plain = config({"method": name})
    return plain.model_validate(plain.model_dump() | {"base_precision": "bfloat16"})


@pytest.fixture(scope="module")
def base(tmp_path_factory) -> BaseModelRef:
    return tiny_base(tmp_path_factory.mktemp("base"), "gemma3")


@pytest.fixture(scope="module")
def batch(base) -> Batch:
    tokenizer = load_tokenizer(base)
    rows = [row for row in ferry_rows(30, train=24).to_pylist() if row["split"] == "validation"]
    encoded = [encode_example(tokenizer, row, 512) for row in rows]
    return collate(encoded, tokenizer.pad_token_id)


@pytest.fixture(scope="module")
def trained(base, tmp_path_factory):
    """Train each method once; keep the model as it stood in memory, and a killed run's folder."""
    folders = tmp_path_factory.mktemp("trained")

    @cache
    def train(name: str) -> Any:
        folder = Path(mkdtemp(dir=folders))
        killed = folder.with_suffix(".killed")
        seen: list[torch.nn.Module] = []

        def keep_what_a_kill_would_leave(point: Any) -> None:
            if point.validation_loss is not None and 2.2 < point.epoch < 3.2:
                shutil.copytree(folder / "checkpoints", killed / "checkpoints")

        with pytest.MonkeyPatch.context() as patch:
            prepared = training._prepared

            def keep(*args: Any) -> torch.nn.Module:
                seen.append(prepared(*args))
                return seen[-1]

            patch.setattr(training, "_prepared", keep)
            told = keep_what_a_kill_would_leave
            result = training.train_model(ferry_rows(30, train=24), base, half(name), folder, told)
        return SimpleNamespace(result=result, folder=folder, killed=killed, model=seen[0])

    return train


@pytest.mark.parametrize("name", HALVED)
def test_the_base_is_in_16_bits_and_does_not_change_and_the_adapter_is_in_32(name, base, trained):
    run = trained(name)
    published = load_model(base, dtype=torch.bfloat16).state_dict()
    own = {
        key.replace(".base_layer", "").removeprefix("base_model."): p
        for key, p in run.model.named_parameters()
    }
    frozen = {
        key: own[found]
        for key in published
        for found in (key, f"model.{key}")
        if found in own and own[found].shape == published[key].shape
    }
    assert len(frozen) > 10
    assert all(torch.equal(value, published[key]) for key, value in frozen.items())
    assert {p.dtype for p in frozen.values()} == {torch.bfloat16}
    assert {p.dtype for p in run.model.parameters() if p.requires_grad} == {torch.float32}
    numbers = [t for t in tensors(run.folder / WEIGHTS).values() if t.is_floating_point()]
    assert {t.dtype for t in numbers} == {torch.float32}


@pytest.mark.parametrize("name", HALVED)
def test_loss_falls_and_the_saved_model_is_the_trained_one(name, base, batch, trained):
    run, method = trained(name), method_of({"method": name})
    held = base.model_copy(update={"held_in": "bfloat16"})
    with torch.no_grad():
        torch.manual_seed(0)
        before, _ = token_losses(method.prepare(load_model(held)).eval(), batch)
        after, _ = token_losses(method.load(load_model(held), run.folder / WEIGHTS).eval(), batch)
    assert after.dtype == torch.float32
    assert after.mean().item() == pytest.approx(run.result.best_validation_loss, rel=ROUNDING)
    assert after.mean() < 0.95 * before.mean()


@pytest.mark.parametrize("name", HALVED)
def test_a_resumed_run_equals_an_undisturbed_one_bit_for_bit(name, base, trained):
    whole, points = trained(name), []
    folder = whole.killed
    rows = ferry_rows(30, train=24)
    resumed = training.train_model(rows, base, half(name), folder, points.append)
    assert points[0].epoch > 2
    assert resumed.best_validation_loss == whole.result.best_validation_loss
    left, right = (tensors(place / WEIGHTS) for place in (folder, whole.folder))
    assert left.keys() == right.keys()
    assert all(torch.equal(left[key], right[key]) for key in left)


@pytest.mark.parametrize("name", WIDE)
def test_a_method_that_needs_single_precision_says_why_and_gets_it_by_itself(
    name, base, monkeypatch
):
    with pytest.raises(ValidationError, match=f"does not go with method {name}, which "):
        TrainingConfig(method={"method": name}, base_precision="bfloat16")
    monkeypatch.setattr("tasks.training.base_precision.computes_in_bfloat16", lambda: True)
    monkeypatch.setattr("tasks.modeling.published.published_type", lambda _folder: "bfloat16")
    found = held_base(base, TrainingConfig(method={"method": name})).held_in
    # QLoRA's own base is packed: the type is that in which the base beside it is measured.
    assert found == ("bfloat16" if name == "qlora" else "float32")
