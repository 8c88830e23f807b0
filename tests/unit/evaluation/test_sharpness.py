"""Sharpness: known curvature, the same each time, weights untouched, scale of no matter."""

import pytest
import torch
from torch import nn

from tasks.evaluation.config import EvaluationConfig
from tasks.evaluation.measure import _sharpness
from tasks.evaluation.sharpness import moved, sharpness
from tasks.modeling.base_model import load_model, load_tokenizer
from tasks.training.methods.qlora import QLora
from tests.ferry_rows import ferry_rows
from tests.tiny_models import tiny_base


def bowl(curvature: float, size: float = 1.0):
    """Return a matrix of ones times `size` and a quadratic loss with its minimum there."""
    model = nn.Linear(8, 4)
    with torch.no_grad():
        model.weight.fill_(size)

    def loss() -> float:
        return curvature * float((model.weight.detach() / size - 1).square().sum())

    return model, loss


def test_the_rise_in_a_bowl_is_known():
    """Each of the 4 filters has the norm √8, so a step of 0.1 of it adds 0.01 * 8."""
    model, loss = bowl(curvature=3.0)
    found = sharpness(model, loss, radius=0.1, directions=4, seed=1)
    assert found.loss == 0.0
    assert found.mean_rise == pytest.approx(3.0 * 4 * 8 * 0.01, rel=1e-4)
    assert found.max_rise == pytest.approx(found.mean_rise, rel=1e-4)


def test_a_sharper_bowl_is_called_sharper_and_its_scale_does_not_matter():
    flat, sharp, large = (
        sharpness(*bowl(c, size), radius=0.1, directions=2, seed=1).mean_rise
        for c, size in ((1.0, 1.0), (10.0, 1.0), (1.0, 100.0))
    )
    assert sharp == pytest.approx(10 * flat, rel=1e-4)
    assert large == pytest.approx(flat, rel=1e-4)


def test_the_same_seed_gives_the_same_and_weights_come_back_exactly():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 3), nn.LayerNorm(3))
    before = [p.detach().clone() for p in model.parameters()]
    rows = torch.randn(7, 5)

    def loss() -> float:
        return float(model(rows).detach().square()[:, 0].mean())

    first = sharpness(model, loss, radius=0.2, directions=3, seed=5)
    assert first == sharpness(model, loss, radius=0.2, directions=3, seed=5)
    assert first != sharpness(model, loss, radius=0.2, directions=3, seed=6)
    assert first.max_rise >= first.mean_rise
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))


def test_weights_come_back_when_measuring_fails():
    model = nn.Linear(3, 2)
    before = model.weight.detach().clone()
    seen = []

    def loss() -> float:
        seen.append(torch.equal(before, model.weight))
        return 1 / (2 - len(seen))  # fails at the second call, with the weights moved

    with pytest.raises(ZeroDivisionError):
        sharpness(model, loss, radius=0.5, directions=1, seed=1)
    assert seen == [True, False]
    assert torch.equal(before, model.weight)


def test_vectors_stay_and_a_tied_matrix_moves_once():
    embedding, head = nn.Embedding(6, 4), nn.Linear(4, 6)
    head.weight = embedding.weight
    model = nn.ModuleList([embedding, head])
    before, bias = embedding.weight.detach().clone(), head.bias.detach().clone()
    with moved(model, 0.1, seed=1):
        step = (embedding.weight - before).norm(dim=1) / before.norm(dim=1)
        assert step.tolist() == pytest.approx([0.1] * 6, rel=1e-4)
        assert torch.equal(head.bias, bias)


def test_weights_in_4_bits_have_no_sharpness_and_cost_no_evaluation(tmp_path):
    method, base = QLora(), tiny_base(tmp_path, "llama")
    model = method.prepare(load_model(base, **method.base_options()))
    config = EvaluationConfig(sharpness={"directions": 2, "rows": 2})
    assert _sharpness(base, model, load_tokenizer(base), ferry_rows(8, train=4), config) is None
