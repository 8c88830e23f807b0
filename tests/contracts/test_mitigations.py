"""What every mitigation of forgetting must do, on tiny random models.

A new mitigation is tested because it is registered. Where it needs something of an earlier
training, `OPTIONS` gives it.
"""

from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest
import torch
from safetensors import safe_open

from data_contracts.errors import ConfigError
from tasks.modeling.base_model import load_model, load_tokenizer
from tasks.modeling.chat import encode_example
from tasks.modeling.supervised import collate, token_losses
from tasks.modeling.tuned import WEIGHTS
from tasks.training.checkpoints import newest_checkpoint
from tasks.training.config import TrainingConfig
from tasks.training.mitigation import MITIGATIONS
from tasks.training.train import train_model
from tests.ferry_rows import ferry_rows
from tests.killed import Killed, kill_after
from tests.tiny_models import tiny_base
from tests.two_tasks import (
    Learnt,
    Start,
    World,
    after_first_task,
    after_text,
    learn,
    make_world,
    mitigated,
    paired_interval,
    task_config,
)

pytestmark = pytest.mark.usefixtures("libraries_are_no_garbage")

NAMES = MITIGATIONS.names()
EARLIER = "earlier adapter"
# Options without which a mitigation has nothing to do.
OPTIONS: dict[str, dict[str, Any]] = {"o_lora": {"adapters": [EARLIER]}}
METHODS = {"full": 5e-3, "lora": 2e-2, "ia3": 1e-1, "prompt_tuning": 3e-1}
# Pairs that are refused, and what the message says.
REFUSED = {
    ("o_lora", "full"): "this one has none",
    ("o_lora", "ia3"): "this one has none",
    ("o_lora", "prompt_tuning"): "this one has none",
    ("freezing", "prompt_tuning"): "stops 0 of the 1 tensors",
}
PAIRS = [(name, method) for name in NAMES for method in METHODS]

# Small worlds whose seed draws words, text, task and weights; three give an interval, and these
# need six.
SEEDS = range(3)
MORE_SEEDS = {"fip": range(6), "wise_ft": range(6)}
# Six seeds do not tell their effect from none (docs/results/mitigations.md).
NOT_SHOWN = {"o_lora", "sam"}


def method_for(name: str) -> str:
    """Return the method on which a mitigation is tested where one is enough."""
    return "lora" if (name, "full") in REFUSED else "full"


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tiny_base(tmp_path_factory.mktemp("base"), "gemma3")


@pytest.fixture(scope="module")
def examples() -> pa.Table:
    return ferry_rows(20, train=16)


@pytest.fixture(scope="module")
def earlier(base, examples, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("earlier")
    options = TrainingConfig(learning_rate=METHODS["lora"], epochs=1, batch_size=4, seed=5)
    train_model(examples, base, options, folder, lambda point: None)
    return folder


@pytest.fixture(scope="module")
def train(base, examples, earlier, tmp_path_factory):
    """Train with a mitigation or without, each run once for all tests that look at it."""
    folders = tmp_path_factory.mktemp("trained")

    @cache
    def trained(method: str, name: str = "", zero: bool = False, again: int = 0) -> Any:
        folder = folders / f"{method}-{name}-{zero}-{again}"
        options = config(method, [(name, zero)] if name else [], earlier)
        result = train_model(examples, base, options, folder, lambda point: None)
        return SimpleNamespace(result=result, folder=folder)

    return trained


def mitigation(name: str, zero: bool, earlier: Path) -> dict[str, Any]:
    options = {"mitigation": name, **OPTIONS.get(name, {})}
    if "adapters" in options:
        options["adapters"] = [earlier]
    if zero:
        options[MITIGATIONS.get(name).strength_option] = 0
    return options


def config(method: str, named: list[tuple[str, bool]], earlier: Path) -> TrainingConfig:
    return TrainingConfig.model_validate(
        {
            "method": {"method": method},
            "mitigations": [mitigation(name, zero, earlier) for name, zero in named],
            "anchors": {"texts": 6, "tokens": 12},
            "learning_rate": METHODS[method],
            "epochs": 3,
            "batch_size": 4,
            "gradient_accumulation": 2,
            "evaluations_per_epoch": 1,
        }
    )


def tensors(folder: Path) -> dict[str, torch.Tensor]:
    found = {}
    for path in sorted((folder / WEIGHTS).glob("*.safetensors")):
        with safe_open(path, "pt") as file:
            found |= {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    return found


def equal(left: Path, right: Path) -> bool:
    """Return whether two tuned models are the same to the last bit."""
    ours, theirs = tensors(left), tensors(right)
    assert ours.keys() == theirs.keys()
    return all(torch.equal(ours[name], theirs[name]) for name in ours)


@pytest.mark.parametrize("name", NAMES)
def test_a_mitigation_names_its_source_and_its_strength(name):
    member = MITIGATIONS.get(name)
    assert any(character.isdigit() for character in member.source)
    assert member.model_fields[member.strength_option].default > 0
    assert not member(**{member.strength_option: 0}).active


@pytest.mark.parametrize("name", NAMES)
def test_at_strength_0_training_is_plain_bit_for_bit(name, train):
    method = method_for(name)
    plain, zero = train(method), train(method, name, zero=True)
    assert equal(zero.folder, plain.folder)
    assert zero.result.history == plain.result.history


@pytest.mark.parametrize(("name", "method"), PAIRS)
def test_it_goes_with_a_method_and_the_saved_model_is_the_trained_one(
    name, method, base, examples, train
):
    if (name, method) in REFUSED:
        with pytest.raises(ConfigError, match=REFUSED[name, method]):
            train(method, name)
        return
    run, plain = train(method, name), train(method)
    assert not equal(run.folder, plain.folder)
    tokenizer = load_tokenizer(base)
    held = [row for row in examples.to_pylist() if row["split"] == "validation"]
    batch = collate([encode_example(tokenizer, row, 512) for row in held], 0)
    tuned = config(method, [], base.folder).method.load(load_model(base), run.folder / WEIGHTS)
    with torch.no_grad():
        losses, _ = token_losses(tuned.eval(), batch)
    assert losses.mean().item() == pytest.approx(run.result.best_validation_loss, rel=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_gives_the_same_model_twice(name, train):
    method = method_for(name)
    assert equal(train(method, name).folder, train(method, name, again=1).folder)


@pytest.mark.parametrize("name", NAMES)
def test_a_resumed_run_equals_an_undisturbed_one_bit_for_bit(
    name, base, examples, earlier, train, tmp_path
):
    options = config(method_for(name), [(name, False)], earlier)
    with pytest.raises(Killed):
        train_model(examples, base, options, tmp_path, kill_after(1.7))
    assert newest_checkpoint(tmp_path / "checkpoints") is not None
    resumed = train_model(examples, base, options, tmp_path, lambda point: None)
    whole = train(method_for(name), name)
    assert resumed.best_validation_loss == whole.result.best_validation_loss
    assert equal(tmp_path, whole.folder)


@pytest.fixture(scope="module")
def starts(tmp_path_factory):
    """Return a model that knows general text, or one that knows a first task, for each seed."""
    folder = tmp_path_factory.mktemp("worlds")

    @cache
    def world(seed: int) -> World:
        return make_world(folder / str(seed), seed, steps=100)

    @cache
    def start(after_task: bool, seed: int) -> Start:
        if after_task:
            return after_first_task(world(seed), folder / f"task-{seed}", seed)
        return after_text(world(seed))

    return start


@pytest.fixture(scope="module")
def plainly(starts, tmp_path_factory):
    """Learn the next task without mitigation."""
    folder = tmp_path_factory.mktemp("plain")

    @cache
    def learnt(after_task: bool, seed: int) -> Learnt:
        config = task_config("lora" if after_task else "full", seed=seed)
        return learn(starts(after_task, seed), config, folder / f"{after_task}-{seed}")

    return learnt


@pytest.mark.parametrize("name", [name for name in NAMES if name not in NOT_SHOWN])
def test_it_lowers_forgetting_over_seeds_and_the_task_is_still_learnt(
    name, starts, plainly, tmp_path
):
    """`benchmarks.mitigations` measures how much, with more seeds, strengths and costs."""
    method = method_for(name)
    after_task = method == "lora"  # what only protects an adapter wants one to protect
    strength = MITIGATIONS.get(name).model_fields[MITIGATIONS.get(name).strength_option].default
    lower, kept = [], []
    for seed in MORE_SEEDS.get(name, SEEDS):
        start, plain = starts(after_task, seed), plainly(after_task, seed)
        options = [mitigated(name, strength, start)]
        config = task_config(method, seed=seed, mitigations=options)
        learnt = learn(start, config, tmp_path / str(seed))
        lower.append(learnt.forgotten - plain.forgotten)
        kept.append(learnt.gained / plain.gained)
    assert min(kept) > 0.5
    assert paired_interval(lower)[2] < 0, lower


def test_all_go_together(base, examples, earlier, tmp_path):
    options = config("lora", [(name, False) for name in NAMES], earlier)
    result = train_model(examples, base, options, tmp_path, lambda point: None)
    assert result.mitigations["wise_ft.validation_loss"] == result.best_validation_loss


def test_a_mitigation_named_twice_is_refused():
    twice = [{"mitigation": "l2_sp"}, {"mitigation": "l2_sp", "strength": 2}]
    with pytest.raises(ValueError, match="l2_sp is named twice"):
        TrainingConfig.model_validate({"mitigations": twice})
