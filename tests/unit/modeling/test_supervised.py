"""The loss at supervised positions equals the loss of full logits, and needs far less memory."""

import pytest
import torch
from torch.autograd.graph import saved_tensors_hooks
from torch.nn.functional import cross_entropy
from torch.utils._python_dispatch import TorchDispatchMode

from tasks.modeling import supervised
from tasks.modeling.base_model import load_model
from tasks.modeling.chat import IGNORED, EncodedExample
from tasks.modeling.supervised import collate, token_losses
from tests.tiny_models import tiny_base

ROWS = [
    EncodedExample((2, 5, 6, 7, 8, 1), (IGNORED, IGNORED, IGNORED, 7, 8, 1)),
    EncodedExample((2, 9, 4, 1), (IGNORED, IGNORED, 4, 1)),
]
# Every position but the first is supervised.
LONG = [
    EncodedExample(tuple(range(3, 43)), (IGNORED, *range(4, 43))),
    EncodedExample(tuple(range(50, 80)), (IGNORED, *range(51, 80))),
]
TWO_POSITIONS = 2 * 400  # the tiny models' vocabulary has fewer than 400 entries


@pytest.fixture(params=["gemma3", "llama", "capped"])
def model(request, tmp_path):
    """Return a model; `capped` bends its logits after the head, as Gemma 2 does."""
    made = load_model(tiny_base(tmp_path, request.param.replace("capped", "gemma3")))
    if request.param == "capped":
        made.config.final_logit_softcapping = 2.0
    return made


def full_losses(model, batch, **options):
    logits = model(input_ids=batch.input_ids, attention_mask=batch.attention_mask).logits
    targets = batch.labels[:, 1:]
    kept = targets != IGNORED
    return cross_entropy(logits[:, :-1][kept], targets[kept], reduction="none", **options)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_losses_equal_those_of_full_logits(model, smoothing):
    batch = collate(ROWS, pad_token_id=0)
    losses, rows = token_losses(model, batch, label_smoothing=smoothing)
    full = full_losses(model, batch, label_smoothing=smoothing)
    assert torch.allclose(losses, full, atol=1e-5)
    assert rows.tolist() == [0, 0, 0, 1, 1]


@pytest.mark.parametrize("head_is_trained", [True, False])
def test_slices_give_the_loss_and_the_gradients_of_full_logits(model, head_is_trained, monkeypatch):
    monkeypatch.setattr(supervised, "LOGITS_IN_A_SLICE", TWO_POSITIONS)
    model.get_output_embeddings().weight.requires_grad_(head_is_trained)
    batch = collate(LONG, pad_token_id=0)
    found = []
    for losses in (token_losses(model, batch)[0], full_losses(model, batch)):
        weights = torch.linspace(0.1, 1.0, len(losses))  # each token's gradient counts for itself
        (losses * weights).sum().backward()
        gradients = {n: p.grad for n, p in model.named_parameters() if p.requires_grad}
        found.append((losses.detach(), gradients))
        model.zero_grad()
    assert torch.allclose(found[0][0], found[1][0], atol=1e-5)
    assert found[0][1].keys() == found[1][1].keys()
    for name, gradient in found[1][1].items():
        assert torch.allclose(found[0][1][name], gradient, rtol=1e-4, atol=1e-5), name


class _LargestResult(TorchDispatchMode):
    """Notes the most logits in one result: the vocabulary is last, and it is no weight."""

    def __init__(self, weight):
        super().__init__()
        self.vocabulary, self.weight, self.numbers = len(weight), weight.numel(), 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        for tensor in result if isinstance(result, tuple) else (result,):
            logits = isinstance(tensor, torch.Tensor) and tensor.shape[-1:] == (self.vocabulary,)
            if logits and tensor.numel() != self.weight:  # else a weight's gradient
                self.numbers = max(self.numbers, tensor.numel())
        return result


@pytest.mark.parametrize("head_is_trained", [True, False])
def test_no_more_logits_exist_or_are_kept_than_a_slice_has(head_is_trained, tmp_path, monkeypatch):
    monkeypatch.setattr(supervised, "LOGITS_IN_A_SLICE", TWO_POSITIONS)
    model = load_model(tiny_base(tmp_path, "llama"))
    head = model.get_output_embeddings()
    head.weight.requires_grad_(head_is_trained)
    batch, kept = collate(LONG, pad_token_id=0), []

    def pack(tensor):
        mine = tensor.untyped_storage().data_ptr() == head.weight.untyped_storage().data_ptr()
        if tensor.shape[-1:] == (len(head.weight),) and not mine:
            kept.append(tensor)
        return tensor

    with _LargestResult(head.weight) as seen:
        with saved_tensors_hooks(pack, lambda tensor: tensor):
            losses, _rows = token_losses(model, batch)
        assert not [tensor for tensor in kept if tensor.shape[0] > 2]
        losses.sum().backward()
    assert 0 < seen.numbers <= TWO_POSITIONS


def test_the_head_sees_supervised_positions_only(tmp_path):
    model = load_model(tiny_base(tmp_path, "llama"))
    token_losses(model, collate(ROWS, pad_token_id=0))
    seen = []
    model.get_output_embeddings().register_forward_hook(lambda m, i, o: seen.append(o.shape[:-1]))
    token_losses(model, collate(ROWS, pad_token_id=0))
    assert sum(shape.numel() for shape in seen) == 5


def test_the_hook_is_gone_afterwards(tmp_path):
    model = load_model(tiny_base(tmp_path, "llama"))
    token_losses(model, collate(ROWS, pad_token_id=0))
    assert model(torch.tensor([[2, 5, 6]])).logits.shape[:2] == (1, 3)


def test_slices_of_the_head_are_alike(tmp_path, monkeypatch):
    model = load_model(tiny_base(tmp_path, "llama"))
    head = model.get_output_embeddings()
    head.weight.requires_grad_(False)
    token_losses(model, collate(ROWS, pad_token_id=0))  # tries once whether the head is last
    monkeypatch.setattr(supervised, "LOGITS_IN_A_SLICE", 4 * len(head.weight))
    seen = []
    head.register_forward_hook(lambda m, i, o: seen.append(o.shape[:-1].numel()))
    token_losses(model, collate(ROWS, pad_token_id=0))
    assert seen == [3, 2, 0]  # not 4 and 1; the last is the model's own call, left nothing
