"""What every training method must do, on tiny random models.

A new method is tested because it is registered. Where its defaults do not fit a model of width
32, `OPTIONS` says what does.
"""

import shutil
from copy import deepcopy
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest
import torch
from safetensors import safe_open
from torch.nn.functional import cross_entropy

from tasks.evaluation.generation import _generate
from tasks.modeling.base_model import load_model, load_tokenizer, resolve_base_model
from tasks.modeling.chat import IGNORED, encode_example
from tasks.modeling.shapes import shapes_of
from tasks.modeling.supervised import Batch, collate, token_losses
from tasks.modeling.tuned import WEIGHTS
from tasks.training.checkpoints import newest_checkpoint
from tasks.training.config import TrainingConfig
from tasks.training.method import METHODS, TrainingMethod
from tasks.training.train import count_parameters, train_model
from tests.ferry_rows import ferry_rows
from tests.tiny_models import tiny_base

pytestmark = pytest.mark.usefixtures("libraries_are_no_garbage")

# Options for a model of width 32, and the learning rate (LR) at which its loss falls in 16 steps.
LR = "learning_rate"
OPTIONS: dict[str, dict[str, Any]] = {
    "adalora": {LR: 5e-2},
    "boft": {LR: 2e-2},
    "bottleneck": {"size": 8, LR: 3e-2},
    "fourierft": {"frequencies": 100},
    "ia3": {LR: 1e-1},
    "ln_tuning": {LR: 3e-2},
    "loha": {LR: 2e-2},
    "lokr": {LR: 2e-2},
    "miss": {"rank": 4},
    "oft": {"block_size": 8, LR: 2e-2},
    "osf": {LR: 5e-3},
    "peft": {LR: 3e-2},
    "p_tuning": {"tokens": 8, "encoder_size": 16, LR: 5e-2},
    "prefix_tuning": {"tokens": 4, "encoder_size": 16, LR: 1e-1},
    "progressive": {"width": 16},
    "prompt_tuning": {"tokens": 4, LR: 3e-1},
    "shira": {"rank": 4},
    "vera": {"rank": 16, LR: 1e-1},
    "wegeft": {"rank": 4},
}
# Options that make another method of one, as far as the contract goes.
VARIANTS: list[dict[str, Any]] = [
    {"method": "bottleneck", "placement": "houlsby"},
    {"method": "bottleneck", "placement": "parallel"},
    {"method": "full", "freeze_embeddings": True, "frozen_layers": 1},
    {"method": "prefix_tuning", "projection": False},
    {
        "method": "peft",
        "tuner": "c3a",
        "options": {"target_modules": "all-linear", "block_size": 8},
    },
]
CASES = [{"method": name} for name in METHODS.names()] + VARIANTS


def every(*, where: str = "", variants: bool = True) -> Any:
    """Parametrise over all methods, or over those whose class says yes to `where`."""
    cases = [case for case in CASES if not where or getattr(METHODS.get(case["method"]), where)]
    cases = [case for case in cases if variants or case not in VARIANTS]
    names = ["-".join(str(v) for v in case.values() if not isinstance(v, dict)) for case in cases]
    return pytest.mark.parametrize("case", cases, ids=names)


def method_of(case: dict[str, Any]) -> TrainingMethod:
    options = {**OPTIONS.get(case["method"], {}), **case}
    options.pop(LR, None)
    return METHODS.get(case["method"]).model_validate(options)


def config(case: dict[str, Any]) -> TrainingConfig:
    rate = OPTIONS.get(case["method"], {}).get(LR, 5e-3)
    return TrainingConfig(
        method=method_of(case),
        learning_rate=rate,
        epochs=4,
        batch_size=6,
        evaluations_per_epoch=1,
        warmup_share=0.0,
        weight_decay=0.0,
    )


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tiny_base(tmp_path_factory.mktemp("base"), "gemma3")


@pytest.fixture(scope="module")
def shapes(base):
    return shapes_of(plain(base))


@pytest.fixture(scope="module")
def examples() -> pa.Table:
    return ferry_rows(30, train=24)


@pytest.fixture(scope="module")
def batch(base, examples) -> Batch:
    tokenizer = load_tokenizer(base)
    rows = [row for row in examples.to_pylist() if row["split"] == "validation"]
    encoded = [encode_example(tokenizer, row, 512) for row in rows]
    return collate(encoded, tokenizer.pad_token_id)


@pytest.fixture(scope="module")
def trained(base, examples, tmp_path_factory):
    """Train each method once, for all tests that look at the result."""
    folders = tmp_path_factory.mktemp("trained")

    @cache
    def train(case: str) -> Any:
        folder = Path(mkdtemp(dir=folders))
        killed = folder.with_suffix(".killed")

        def keep_what_a_kill_would_leave(point: Any) -> None:
            if point.validation_loss is not None and 2.2 < point.epoch < 3.2:
                shutil.copytree(folder / "checkpoints", killed / "checkpoints")

        told = keep_what_a_kill_would_leave
        result = train_model(examples, base, config(KNOWN[case]), folder, told)
        return SimpleNamespace(result=result, folder=folder, killed=killed)

    return lambda case: train(repr(case))


KNOWN = {repr(case): case for case in CASES}


@cache
def _loaded(folder: Path) -> Any:
    return load_model(resolve_base_model(str(folder), folder))


def plain(base: Any) -> Any:
    """Return the base as if it were loaded anew; a copy is faster."""
    return deepcopy(_loaded(base.folder))


def on_its_base(method: TrainingMethod, base: Any) -> Any:
    """Return the base as the method wants it."""
    options = method.base_options()
    return load_model(base, **options) if options else plain(base)


def prepared(case: dict[str, Any], base: Any, batch: Batch) -> torch.nn.Module:
    torch.manual_seed(0)
    method = method_of(case)
    model = method.prepare(on_its_base(method, base))
    method.start(model, [batch.tensors()], total_steps=10)
    return model.eval()


def disturbed(case: dict[str, Any], base: Any, batch: Batch, folder: Path) -> Path:
    """Save an adapter whose every value is another than at the start, and return its folder."""
    model = prepared(case, base, batch)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter += 0.05 * torch.randn_like(parameter)
    method_of(case).save(model, folder)
    return folder


def logits(model: torch.nn.Module, batch: Batch) -> torch.Tensor:
    with torch.no_grad():
        output = model(input_ids=batch.input_ids, attention_mask=batch.attention_mask)
    # A prompt's own positions come before those of the rows.
    return output.logits[:, -batch.input_ids.shape[1] :][batch.attention_mask.bool()]


@every()
def test_the_share_of_trained_parameters_is_the_predicted_one(case, base, batch, shapes):
    trainable, _total = count_parameters(prepared(case, base, batch))
    assert method_of(case).trainable_parameters(shapes) == trainable


@every(where="identity_at_start")
def test_the_prepared_model_begins_as_its_base(case, base, batch):
    method = method_of(case)
    expected = logits(on_its_base(method, base), batch)
    assert torch.allclose(logits(prepared(case, base, batch), batch), expected, atol=1e-4)


@every()
def test_loss_falls_and_the_saved_model_is_the_trained_one(case, base, batch, trained):
    run, method = trained(case), method_of(case)
    with torch.no_grad():
        before, _ = token_losses(prepared(case, base, batch), batch)
        loaded = on_its_base(method, base)
        after, _ = token_losses(method.load(loaded, run.folder / WEIGHTS).eval(), batch)
    assert after.mean().item() == pytest.approx(run.result.best_validation_loss, rel=1e-4)
    assert after.mean() < 0.95 * before.mean()


@every()
def test_only_the_declared_parameters_change(case, base, batch):
    method, model = method_of(case), prepared(case, base, batch)
    before = {name: value.clone() for name, value in model.state_dict(keep_vars=True).items()}
    trained = [p for p in model.parameters() if p.requires_grad]
    declared = {name for name, p in model.named_parameters() if p.requires_grad}
    optimizer = torch.optim.AdamW(trained, lr=1e-2)
    for step in range(3):
        losses, _ = token_losses(model, batch)
        losses.mean().backward()
        optimizer.step()
        method.after_step(model, step)
        optimizer.zero_grad()
    parameters = dict(model.named_parameters())
    changed = {name for name, value in parameters.items() if not torch.equal(value, before[name])}
    assert changed == declared
    tied = {name for name, p in parameters.items() if p.requires_grad} | {"lm_head.weight"}
    for name, value in model.state_dict().items():
        assert name in tied or torch.equal(value, before[name]), name


@every(variants=False)
def test_the_same_seed_gives_the_same_model_twice(case, base, examples, tmp_path):
    short = config(case).model_copy(update={"epochs": 1})
    folders = [tmp_path / name for name in ("once", "again")]
    for folder in folders:
        torch.manual_seed(len(str(folder)))  # what came before makes no difference
        train_model(examples, base, short, folder, lambda _point: None)
    left, right = (tensors(folder / WEIGHTS) for folder in folders)
    assert left.keys() == right.keys()
    assert all(torch.equal(left[name], right[name]) for name in left)


@every(variants=False)
def test_a_resumed_run_equals_an_undisturbed_one_bit_for_bit(case, base, examples, trained):
    """The checkpoints are those that lie there when the undisturbed run is in its third epoch;
    tests/unit/training and tests/e2e kill runs for real.
    """
    whole = trained(case)
    assert newest_checkpoint(whole.killed / "checkpoints") is not None
    points: list[Any] = []
    resumed = train_model(examples, base, config(case), whole.killed, points.append)
    assert points[0].epoch > 2
    assert resumed.best_validation_loss == whole.result.best_validation_loss
    left, right = (tensors(folder / WEIGHTS) for folder in (whole.killed, whole.folder))
    assert left.keys() == right.keys()
    assert all(torch.equal(left[name], right[name]) for name in left)
    shutil.rmtree(whole.killed)


@every(where="merges")
def test_the_merged_model_computes_the_same_and_is_of_the_base_s_size(
    case, base, batch, shapes, tmp_path
):
    folder, method = disturbed(case, base, batch, tmp_path / "adapter"), method_of(case)
    tuned = method.load(plain(base), folder).eval()
    expected = logits(tuned, batch)
    merged = method.merge(tuned)
    assert torch.allclose(logits(merged, batch), expected, atol=1e-4)
    assert {n: tuple(p.shape) for n, p in merged.named_parameters()} == shapes.parameters


@every()
def test_the_adapter_is_of_the_predicted_size(case, trained, shapes):
    folder = trained(case).folder / WEIGHTS
    predicted = method_of(case).saved_values(shapes)
    assert sum(t.numel() for t in tensors(folder).values()) == predicted
    assert sum(map(data_bytes, folder.glob("*.safetensors"))) == 4 * predicted


@every(where="unloads")
def test_two_adapters_take_turns_on_one_base(case, base, batch, trained, tmp_path):
    method = method_of(case)
    folders = [trained(case).folder / WEIGHTS, disturbed(case, base, batch, tmp_path / "other")]
    model = on_its_base(method, base)
    weights = {name: p.data_ptr() for name, p in model.named_parameters()}
    untouched = logits(model, batch)
    outputs = []
    for folder in (*folders, folders[0]):
        tuned = method.load(model, folder).eval()
        outputs.append(logits(tuned, batch))
        model = method.unload(tuned)
    assert {name: p.data_ptr() for name, p in model.named_parameters()} == weights
    assert torch.equal(logits(model, batch), untouched)
    assert torch.equal(outputs[0], outputs[2])
    assert not torch.allclose(outputs[0], outputs[1], atol=1e-3)


@every()
def test_losses_at_supervised_positions_are_those_of_full_logits(case, base, batch):
    """Virtual tokens make the states longer than the row; the row's own are still found."""
    model = prepared(case, base, batch)
    with torch.no_grad():
        losses, _rows = token_losses(model, batch)
        output = model(input_ids=batch.input_ids, attention_mask=batch.attention_mask)
    own = output.logits[:, -batch.input_ids.shape[1] :]
    full = cross_entropy(own[:, :-1].transpose(1, 2), batch.labels[:, 1:], reduction="none")
    assert torch.allclose(losses, full[batch.labels[:, 1:] != IGNORED], atol=1e-5)


@every()
def test_generation_with_a_cache_equals_one_without(case, base, batch, tmp_path):
    method = method_of(case)
    folder = disturbed(case, base, batch, tmp_path)
    model: Any = method.load(on_its_base(method, base), folder).eval()
    prompts = [[2, 5, 6, 7, 9], [2, 11, 8]]
    answers = _generate(model, load_tokenizer(base), prompts, 3)
    for prompt, answer in zip(prompts, answers, strict=True):
        row = list(prompt)
        for token in answer:
            with torch.no_grad():
                here = model(torch.tensor([row]), attention_mask=torch.ones(1, len(row))).logits
            assert here[0, -1].argmax() == token
            row.append(token)


@every(where="allows_checkpointing", variants=False)
def test_gradients_are_the_same_when_activations_are_computed_anew(case, base, batch):
    gradients = []
    for checkpointing in (False, True):
        model: Any = prepared(case, base, batch).train()
        if checkpointing:
            model.activation_checkpointing_enable({"use_reentrant": False})
        token_losses(model, batch)[0].mean().backward()
        gradients.append({n: p.grad for n, p in model.named_parameters() if p.requires_grad})
    assert gradients[0].keys() == gradients[1].keys()
    for name, expected in gradients[0].items():
        assert torch.allclose(gradients[1][name], expected, atol=1e-6), name


def data_bytes(file: Path) -> int:
    """Return the bytes of a safetensors file after its header, which tells its own length."""
    with file.open("rb") as stream:
        header = int.from_bytes(stream.read(8), "little")
    return file.stat().st_size - 8 - header


def tensors(folder: Path) -> dict[str, torch.Tensor]:
    found = {}
    for path in sorted(folder.glob("*.safetensors")):
        with safe_open(path, "pt") as file:
            found |= {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    return found
