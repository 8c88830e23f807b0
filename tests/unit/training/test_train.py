"""The trainer on a tiny random model; what holds for every method is in tests/contracts."""

import json
import math
import shutil
from pathlib import Path

import pyarrow as pa
import pytest
import torch
from safetensors.torch import load_file

from data_contracts.errors import StorageError, TooFewRows, TrainingError
from data_contracts.results import ModelRef
from tasks.modeling.base_model import load_model, load_tokenizer
from tasks.modeling.chat import IGNORED, encode_example
from tasks.modeling.tuned import WEIGHTS
from tasks.training.checkpoints import newest_checkpoint
from tasks.training.config import TrainingConfig
from tasks.training.method import METHODS
from tasks.training.sampling import LengthGroupedSampler
from tasks.training.train import train_model
from tasks.training.trainer import STATE
from tests.ferry_rows import ferry_rows
from tests.killed import Killed, kill_after
from tests.tiny_models import tiny_base


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tiny_base(tmp_path_factory.mktemp("base"), "gemma3")


@pytest.fixture(scope="module")
def examples() -> pa.Table:
    return ferry_rows(30, train=24)


def config(**changes) -> TrainingConfig:
    options = {"epochs": 2, "batch_size": 4, "learning_rate": 5e-3, "patience": 9}
    return TrainingConfig.model_validate(options | changes)


def run(examples, base, folder, **changes):
    points = []
    result = train_model(examples, base, config(**changes), folder, points.append)
    return result, points


def tuned_state(method, base, folder):
    model = METHODS.get(method)().load(load_model(base), folder / WEIGHTS)
    return {name: value.clone() for name, value in model.state_dict().items()}


def test_accumulation_equals_the_larger_batch(base, examples, tmp_path):
    """Token-weighted: rows differ in length, so a mean of means would differ."""
    options = {"epochs": 1, "evaluations_per_epoch": 1, "learning_rate": 1e-3}
    large = run(examples, base, tmp_path / "a", batch_size=8, **options)[0]
    small = run(examples, base, tmp_path / "b", batch_size=4, gradient_accumulation=2, **options)[0]
    assert large.steps == small.steps
    # the sampler cuts other batches, so only the first step sees the same rows: compare sizes
    assert small.best_validation_loss == pytest.approx(large.best_validation_loss, rel=0.1)


@pytest.mark.parametrize("optimizer", ["adamw_8bit", "paged_adamw_8bit", "adafactor"])
def test_every_optimizer_trains_and_goes_on_after_a_stop(optimizer, base, examples, tmp_path):
    options = {"method": {"method": "full"}, "optimizer": optimizer}
    whole, points = run(examples, base, tmp_path / "whole", **options)
    losses = [p.validation_loss for p in points if p.validation_loss is not None]
    assert losses[-1] < 0.9 * losses[0]

    cut = config(**options)
    with pytest.raises(Killed):
        train_model(examples, base, cut, tmp_path / "cut", kill_after(1.2))
    resumed = train_model(examples, base, cut, tmp_path / "cut", lambda point: None)
    assert resumed.best_validation_loss == whole.best_validation_loss


WARM_UP, STEPS = 3, 12
RISES = [step / WARM_UP for step in range(WARM_UP)]
# The share of the peak at which each step is taken, the first is step 0.
SCHEDULES = {
    "linear": [*RISES, *((STEPS - s) / (STEPS - WARM_UP) for s in range(WARM_UP, STEPS))],
    "cosine": [
        *RISES,
        *(
            (1 + math.cos(math.pi * (s - WARM_UP) / (STEPS - WARM_UP))) / 2
            for s in range(WARM_UP, STEPS)
        ),
    ],
    "constant_with_warmup": [*RISES, *[1.0] * (STEPS - WARM_UP)],
}


@pytest.mark.parametrize("schedule", list(SCHEDULES))
def test_the_logged_rate_rises_and_follows_the_schedule_also_after_a_stop(
    schedule, base, examples, tmp_path
):
    options = config(schedule=schedule, warmup_share=WARM_UP / STEPS)
    kill, before, after = kill_after(1.2), [], []

    def told(point):
        before.append(point)
        kill(point)

    with pytest.raises(Killed):
        train_model(examples, base, options, tmp_path, told)
    train_model(examples, base, options, tmp_path, after.append)
    assert after[0].step > STEPS // 2, "it went on"
    rates = {p.step: p.learning_rate for p in [*before, *after] if p.learning_rate is not None}
    assert sorted(rates) == list(range(1, STEPS + 1))
    expected = [5e-3 * share for share in SCHEDULES[schedule]]
    assert [rates[step] for step in sorted(rates)] == pytest.approx(expected, rel=1e-9)


def test_the_time_before_a_stop_goes_on_counting(base, examples, tmp_path):
    with pytest.raises(Killed):
        train_model(examples, base, config(), tmp_path, kill_after(1.2))
    state = newest_checkpoint(tmp_path / "checkpoints") / "trainer_state.json"
    stored = json.loads(state.read_text())
    told = stored["stateful_callbacks"]["TimeSpent"]["attributes"]
    assert told["seconds"] > 0
    assert told["processor_seconds"] > 0
    told |= {"seconds": 10_000.0, "processor_seconds": 20_000.0}
    state.write_text(json.dumps(stored))
    result = train_model(examples, base, config(), tmp_path, lambda point: None)
    assert 10_000 < result.seconds < 20_000 < result.processor_seconds


def test_a_checkpoint_of_an_adapter_holds_no_weight_of_the_base(base, examples, tmp_path):
    with pytest.raises(Killed):
        train_model(examples, base, config(), tmp_path, kill_after(1.2))
    checkpoint = newest_checkpoint(tmp_path / "checkpoints")
    assert checkpoint is not None
    assert all("lora_" in name for name in load_file(checkpoint / STATE))
    assert not list(checkpoint.glob("model*"))


class Bomb:
    """Unpickled, it leaves a file behind."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return Path.touch, (self.mark,)


def test_a_pickle_planted_in_a_checkpoint_is_not_run(base, examples, tmp_path):
    with pytest.raises(Killed):
        train_model(examples, base, config(), tmp_path, kill_after(1.2))
    checkpoint = newest_checkpoint(tmp_path / "checkpoints")
    for name in ("optimizer.pt", "rng_state.pth"):
        own = (checkpoint / name).read_bytes()
        torch.save({"state": Bomb(tmp_path / "ran")}, checkpoint / name)
        with pytest.raises(TrainingError, match="other than tensors"):
            run(examples, base, tmp_path)
        assert not (tmp_path / "ran").exists()
        (checkpoint / name).write_bytes(own)


def test_checkpointing_activations_gives_the_same_model(base, examples, tmp_path):
    choices = ("none", "selective", "full")
    for choice in choices:
        run(examples, base, tmp_path / choice, max_steps=3, gradient_checkpointing=choice)
    kept, *others = (tuned_state("lora", base, tmp_path / choice) for choice in choices)
    for computed_anew in others:
        assert all(torch.allclose(kept[name], computed_anew[name], atol=1e-6) for name in kept)


def test_prefix_tuning_refuses_to_compute_activations_anew():
    with pytest.raises(ValueError, match="does not go with method prefix_tuning"):
        config(method={"method": "prefix_tuning"}, gradient_checkpointing="full")


def test_early_stopping_restores_the_best_checkpoint(base, examples, tmp_path):
    result, points = run(
        examples, base, tmp_path, method={"method": "full"}, learning_rate=1.0, epochs=8, patience=2
    )
    losses = {p.step: p.validation_loss for p in points if p.validation_loss is not None}
    assert result.stopped_early
    assert result.best_step == min(losses, key=lambda step: losses[step])
    assert result.best_step < result.steps


def test_the_same_seed_gives_the_same_model(base, examples, tmp_path):
    for name in ("one", "two"):
        run(examples, base, tmp_path / name, max_steps=3)
    left, right = (tuned_state("lora", base, tmp_path / name) for name in ("one", "two"))
    assert all(torch.equal(left[name], right[name]) for name in left)


def test_a_half_written_checkpoint_is_removed_and_not_used(tmp_path):
    good, bad = tmp_path / "checkpoint-5", tmp_path / "checkpoint-10"
    for folder in (good, bad):
        folder.mkdir()
        (folder / "model.safetensors").write_bytes(b"weights")
    (good / "trainer_state.json").write_text(json.dumps({"global_step": 5}))
    (bad / "trainer_state.json").write_text('{"global_st')
    assert newest_checkpoint(tmp_path) == good
    assert not bad.exists()


def test_a_row_that_is_too_long_is_an_error_not_a_cut(base, examples, tmp_path):
    with pytest.raises(TrainingError, match="more than max_length 16.*cuts no row silently"):
        run(examples, base, tmp_path, max_length=16)


def test_a_missing_split_is_said(base, examples, tmp_path):
    only_train = examples.filter(pa.compute.equal(examples.column("split"), "train"))
    with pytest.raises(TooFewRows, match="no rows in split 'validation'"):
        run(only_train, base, tmp_path)


def test_a_loss_that_is_not_finite_stops_training(base, examples, tmp_path):
    with pytest.raises(TrainingError, match=r"loss is nan.*learning_rate"):
        run(examples, base, tmp_path, learning_rate=1e30, max_grad_norm=1e30, warmup_share=0.0)


def test_a_full_disk_is_said(base, examples, tmp_path, monkeypatch):
    def full(*_args, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tasks.training.methods.lora.Lora.save", full)
    with pytest.raises(StorageError, match="No space left.*newest checkpoint"):
        run(examples, base, tmp_path, max_steps=2)


def test_a_batch_order_is_a_permutation_that_depends_on_seed_and_epoch_alone():
    lengths = [number % 17 for number in range(100)]
    sampler = LengthGroupedSampler(lengths, batch_size=8, seed=1)
    first = list(sampler)
    assert sorted(first) == list(range(100))
    assert list(sampler) == first
    sampler.set_epoch(1)
    assert list(sampler) != first
    padded = sum(
        max(lengths[i] for i in first[s : s + 8]) * len(first[s : s + 8]) for s in range(0, 100, 8)
    )
    unsorted = sum(max(lengths[s : s + 8]) * len(lengths[s : s + 8]) for s in range(0, 100, 8))
    assert padded < 0.8 * unsorted


def test_only_the_answer_and_its_end_token_are_supervised(base, examples):
    tokenizer = load_tokenizer(base)
    row = {**examples.to_pylist()[0], "context": "A passage."}
    encoded = encode_example(tokenizer, row, 512)
    supervised = tokenizer.decode(encoded.supervised)
    assert supervised.strip() == row["answer"] + tokenizer.eos_token
    assert encoded.labels[0] == IGNORED


def test_a_tuned_model_is_found_again_only_when_it_is_whole(base, examples, tmp_path):
    from tasks.modeling.tuned import find_model, load_tuned, model_folder
    from tasks.training.task import _move_into_place, _write_manifest

    folder = model_folder(tmp_path, "f" * 32).with_suffix(".unfinished")
    folder.mkdir(parents=True)
    run(examples, base, folder, max_steps=2)
    assert find_model(tmp_path, "f" * 32) is None
    _write_manifest(folder, "f" * 32, {}, base, config())
    _move_into_place(folder, tmp_path, "f" * 32)
    ref = find_model(tmp_path, "f" * 32)
    assert isinstance(ref, ModelRef)
    model, _tokenizer = load_tuned(ref)
    assert not model.training
    shutil.copy(folder.parent / ("f" * 32) / "training.json", ref.folder / WEIGHTS / "README.md")
    (ref.folder / WEIGHTS / "adapter_config.json").write_text("{}")
    assert find_model(tmp_path, "f" * 32) is None
