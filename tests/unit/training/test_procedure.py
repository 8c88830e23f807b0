"""Each option of the procedure does what its description says, on a tiny random model."""

import itertools
import math

import pyarrow as pa
import pytest
import torch
from pydantic import ValidationError
from transformers import TrainerCallback

from data_contracts.errors import TrainingError
from data_contracts.schemas import EXAMPLE, blank_row
from tasks.modeling.base_model import load_model, load_tokenizer
from tasks.modeling.supervised import collate, token_losses
from tasks.training.config import TrainingConfig
from tasks.training.dropout import set_dropout
from tasks.training.packing import check_packing, pack
from tasks.training.sampling import LengthGroupedSampler, stages_of
from tasks.training.train import encode_split, train_model
from tasks.training.trainer import SupervisedTrainer
from tests.tiny_models import tiny_base

# Rows differ in length, so a mean of means is not the mean, and short ones fit into one sequence.
QUESTIONS = [
    "What is a ferry" + " that is slow" * (20 if n == 3 else n % 3) + "?" for n in range(12)
]
ANSWERS = ["A ferry" + " is a ship" * (n % 3) + "." for n in range(12)]


@pytest.fixture(scope="module", params=["gemma3"])
def base(request, tmp_path_factory):
    return tiny_base(tmp_path_factory.mktemp("base"), request.param)


@pytest.fixture(scope="module")
def examples() -> pa.Table:
    cells = {"kind": "fact", "document_id": "d", "chunk_id": "c", "generator": "fact"}
    rows = [
        blank_row(EXAMPLE)
        | cells
        | {
            "example_id": f"e{n}",
            "question": QUESTIONS[n],
            "answer": ANSWERS[n],
            "split": "train" if n < 8 else "validation",
        }
        for n in range(12)
    ]
    return pa.Table.from_pylist(rows, schema=EXAMPLE)


def config(**changes) -> TrainingConfig:
    options = {"epochs": 1, "batch_size": 8, "learning_rate": 1e-3, "warmup_share": 0.0}
    return TrainingConfig.model_validate(options | {"evaluations_per_epoch": 1} | changes)


class _Gradients(TrainerCallback):
    """Keeps the gradients of the last step before they are used."""

    def on_pre_optimizer_step(self, args, state, control, **options):
        model = options["model"]
        self.found = {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}


def trainer_of(base, examples, folder, **changes):
    options, tokenizer = config(**changes), load_tokenizer(base)
    train, validation = (
        encode_split(tokenizer, examples, split, options) for split in ("train", "validation")
    )
    torch.manual_seed(0)
    model = options.method.prepare(load_model(base))
    pad = tokenizer.pad_token_id
    return SupervisedTrainer(model, options, train, validation, pad, folder, lambda point: None)


def gradients(base, examples, folder, **changes):
    """Return the gradients of a run of one step over all eight rows, and its logged loss."""
    trainer, callback = trainer_of(base, examples, folder, **changes), _Gradients()
    trainer.add_callback(callback)
    trainer.train()
    logged = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    return callback.found, logged[0]


def close(left, right, **tolerance) -> bool:
    assert left.keys() == right.keys()
    return all(torch.allclose(left[name], right[name], **tolerance) for name in left)


FULL = {"method": {"method": "full"}, "max_grad_norm": 1e9}


@pytest.mark.parametrize("batch_size", [4, 2, 1])
def test_accumulated_gradients_are_those_of_the_larger_batch(batch_size, base, examples, tmp_path):
    large, loss = gradients(base, examples, tmp_path / "a", **FULL)
    parts = {"batch_size": batch_size, "gradient_accumulation": 8 // batch_size}
    small, again = gradients(base, examples, tmp_path / "b", **FULL, **parts)
    assert close(small, large, rtol=1e-4, atol=1e-6)
    assert again == pytest.approx(loss, rel=1e-5)


def test_packed_rows_give_the_gradients_of_padded_ones(base, examples, tmp_path):
    padded, loss = gradients(base, examples, tmp_path / "a", **FULL)
    packed, again = gradients(base, examples, tmp_path / "b", packing=True, **FULL)
    assert close(packed, padded, rtol=1e-4, atol=1e-5)
    assert again == pytest.approx(loss, abs=1e-5)


@pytest.mark.parametrize("architecture", ["gemma3", "llama"])
def test_packing_takes_fewer_positions_and_changes_no_token_s_loss(
    architecture, examples, tmp_path
):
    base = tiny_base(tmp_path, architecture)
    rows = encode_split(load_tokenizer(base), examples, "train", config())
    packed, padded, model = pack(rows, 0), collate(rows, 0), load_model(base)
    assert packed.input_ids.numel() < padded.input_ids.numel()
    assert packed.input_ids.shape[1] == padded.input_ids.shape[1]
    with torch.no_grad():
        losses = [token_losses(model, batch)[0].sort()[0] for batch in (packed, padded)]
    assert torch.allclose(*losses, atol=1e-5)


def test_packing_is_refused_where_rows_would_see_each_other(base, examples):
    rows, model = encode_split(load_tokenizer(base), examples, "train", config()), load_model(base)
    check_packing(model, rows, 0)
    forward = model.forward
    # An architecture that ignores positions, as some do.
    model.forward = lambda position_ids=None, **options: forward(**options)
    with pytest.raises(TrainingError, match=r"packing does not go with this model.*nats"):
        check_packing(model, rows, 0)


def test_packing_is_refused_with_virtual_tokens():
    with pytest.raises(ValidationError, match="virtual tokens of method prompt_tuning"):
        config(packing=True, method={"method": "prompt_tuning"})


def test_l1_adds_the_sign_of_each_parameter_to_its_gradient(base, examples, tmp_path):
    plain, _ = gradients(base, examples, tmp_path / "a", **FULL)
    parts = {"batch_size": 4, "gradient_accumulation": 2}  # it is not added twice
    pulled, _ = gradients(base, examples, tmp_path / "b", l1=0.1, **FULL, **parts)
    model = load_model(base)
    for name, parameter in model.named_parameters():
        expected = plain[name] + 0.1 * parameter.detach().sign()
        assert torch.allclose(pulled[name], expected, rtol=1e-4, atol=1e-5), name


def test_weight_decay_shrinks_and_a_small_norm_clips(base, examples, tmp_path):
    free = trainer_of(base, examples, tmp_path / "a", **FULL, weight_decay=0.0)
    held = trainer_of(base, examples, tmp_path / "b", **FULL, weight_decay=50.0)
    norms = []
    for trainer in (free, held):
        trainer.train()
        norms.append(sum(p.square().sum() for n, p in trainer.model.named_parameters()))
    assert norms[1] < 0.95 * norms[0]
    clipped = FULL | {"max_grad_norm": 1e-3}
    found, _ = gradients(base, examples, tmp_path / "c", **clipped)
    assert math.sqrt(sum(g.square().sum() for g in found.values())) == pytest.approx(1e-3, rel=1e-2)


def test_label_smoothing_raises_the_training_loss_and_leaves_validation_alone(
    base, examples, tmp_path
):
    plain, smooth = (
        trainer_of(base, examples, tmp_path / str(share), label_smoothing=share)
        for share in (0.0, 0.3)
    )
    inputs = plain._collate([plain.train_dataset[i] for i in range(4)])
    assert smooth.compute_loss(smooth.model, inputs) > plain.compute_loss(plain.model, inputs)
    assert smooth.evaluate()["eval_loss"] == plain.evaluate()["eval_loss"]


def test_neftune_makes_noise_in_training_and_none_in_evaluation(base, examples, tmp_path):
    quiet, noisy = (
        gradients(base, examples, tmp_path / str(alpha), neftune_alpha=alpha, **FULL)
        for alpha in (0.0, 50.0)
    )
    assert not close(noisy[0], quiet[0], rtol=1e-2)
    trainer = trainer_of(base, examples, tmp_path / "c", neftune_alpha=50.0, learning_rate=1e-12)
    untouched = trainer.evaluate()["eval_loss"]
    trainer.train()  # evaluates while the noise is switched on
    during = [entry["eval_loss"] for entry in trainer.state.log_history if "eval_loss" in entry]
    assert during[-1] == pytest.approx(untouched, rel=1e-6)
    assert trainer.evaluate()["eval_loss"] == pytest.approx(untouched, rel=1e-6)


class _Embedded(TrainerCallback):
    """Keeps what the embedding gave in training, and what its weights alone give."""

    def __init__(self) -> None:
        self.found = []

    def on_train_begin(self, args, state, control, **options):
        embedding = options["model"].get_input_embeddings()

        def keep(module, inputs, output):  # registered last, so it is called after the noise
            if module.training:
                self.found.append((output - type(module).forward(module, *inputs)).detach())

        embedding.register_forward_hook(keep)


@pytest.mark.parametrize("alpha", [5.0, 15.0])
def test_neftune_s_noise_is_even_within_alpha_over_the_root_of_length_times_width(
    alpha, base, examples, tmp_path
):
    """Jain et al. 2023, arXiv 2310.05914, algorithm 1: uniform in [-1, 1], times that size."""
    trainer = trainer_of(base, examples, tmp_path, neftune_alpha=alpha, batch_size=4)
    kept = _Embedded()
    trainer.add_callback(kept)
    trainer.train()
    batches = [noise for noise in kept.found if len(noise) == 4]
    assert len({noise.shape[1] for noise in batches}) == 2, "two batches of unlike length"
    for noise in batches:
        _rows, length, width = noise.shape
        size = alpha / (length * width) ** 0.5
        assert 0.99 * size < noise.abs().max().item() <= size * (1 + 1e-4)
        assert noise.std().item() == pytest.approx(size / 3**0.5, rel=0.05)
        assert noise.mean().abs().item() < 0.05 * size


def test_dropout_of_model_and_adapter_acts_in_training_alone(base, examples, tmp_path):
    rows = encode_split(load_tokenizer(base), examples, "train", config())
    batch, model = collate(rows, 0), load_model(base)
    set_dropout(model, 0.5)
    for prepared in (
        model,
        config(method={"method": "lora", "dropout": 0.5}).method.prepare(model),
    ):
        with torch.no_grad():
            evaluated = [token_losses(prepared.eval(), batch)[0] for _ in range(2)]
            trained = [token_losses(prepared.train(), batch)[0] for _ in range(2)]
        assert torch.equal(*evaluated)
        assert not torch.allclose(*trained, atol=1e-3)
    with pytest.raises(TrainingError, match="Linear has no dropout"):
        set_dropout(torch.nn.Linear(2, 2), 0.5)


def test_the_model_is_trained_with_its_dropout(base, examples, tmp_path):
    losses = []
    for share in (0.0, 0.5):
        options = config(model_dropout=share, method={"method": "full"})
        result = train_model(examples, base, options, tmp_path / str(share), lambda point: None)
        losses.append(result.history[-1].train_loss)
    assert losses[0] != losses[1]


KNOWN = ["Unknown", None, "HighlyKnown", "MaybeKnown", "Unknown", "HighlyKnown", "WeaklyKnown"]


@pytest.mark.parametrize(("order", "first"), [("known_first", 0), ("unknown_first", 3)])
def test_an_order_by_knowledge_takes_one_class_after_the_other(order, first):
    knowledge = KNOWN * 8
    stages = stages_of(knowledge, order, seed=3)
    sampler = LengthGroupedSampler([n % 7 + 1 for n in range(len(knowledge))], 4, 3, stages)
    rows = list(sampler)
    assert sorted(rows) == list(range(len(knowledge)))
    assert list(sampler) == rows
    classes = ["HighlyKnown", "MaybeKnown", "WeaklyKnown", "Unknown"]
    assert stages[KNOWN.index("HighlyKnown")] == first
    # Only what does not fill a batch of its class is taken with the next.
    late = [stages[row] for row in rows]
    assert sum(a > b for a, b in itertools.pairwise(late)) <= len(classes) - 1
    assert late[0] == 0
    assert late[-1] == 3
    sampler.set_epoch(1)
    assert list(sampler) != rows
    assert {stages[i] for i, k in enumerate(knowledge) if k is None} == {0, 1, 2, 3}


def test_an_order_by_knowledge_needs_classes():
    with pytest.raises(TrainingError, match="no training row has a knowledge class"):
        stages_of([None, None], "known_first", seed=1)


def test_training_takes_rows_in_the_order_of_their_classes(base, examples, tmp_path):
    at = examples.schema.get_field_index("knowledge")
    column = pa.array(["Unknown", "HighlyKnown"] * 6)
    classed = examples.set_column(at, examples.schema.field("knowledge"), column)
    results = [
        train_model(
            classed, base, config(batch_size=4, order=order), tmp_path / order, lambda point: None
        )
        for order in ("known_first", "unknown_first")
    ]
    first = [result.history[0].train_loss for result in results]
    assert first[0] != first[1]
