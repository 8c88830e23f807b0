"""LoRA's layer gives what PEFT's own gives, and leaves to PEFT what it does not do."""

from copy import deepcopy
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from peft import LoraConfig, get_peft_model
from peft.tuners.lora.layer import Linear
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from tasks.modeling.base_model import load_model
from tasks.training.low_rank_linear import LowRankLinear
from tasks.training.methods.dora import Dora
from tasks.training.methods.lora import Lora
from tasks.training.methods.qlora import QLora
from tests.tiny_models import tiny_base

WIDTH, MIDDLE, OUT = 6, 9, 4


def adapted(bias: bool, ours: bool, **options: Any) -> Any:
    """Return two linear layers with adapters that add something, in double precision."""
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Linear(WIDTH, MIDDLE, bias=bias), nn.Tanh(), nn.Linear(MIDDLE, OUT, bias=bias)
    )
    config = LoraConfig(r=3, lora_alpha=5, target_modules=["0", "2"], **options)
    if ours:
        config._register_custom_module({nn.Linear: LowRankLinear})
    model = get_peft_model(net.double(), config).double()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.copy_(torch.randn_like(parameter))
    return model


def answer(model: Any, x: torch.Tensor) -> list[torch.Tensor]:
    """Return output, gradient of the input and gradients of the adapters."""
    x = x.clone().requires_grad_()
    output = model(x)
    trained = [p for p in model.parameters() if p.requires_grad]
    return [output, *torch.autograd.grad(output.pow(2).sum(), [x, *trained])]


def kinds(model: Any) -> list[type]:
    return [type(module) for module in model.modules() if isinstance(module, Linear)]


@settings(deadline=None, max_examples=30)
@given(
    shape=st.lists(st.integers(1, 4), min_size=1, max_size=3),
    bias=st.booleans(),
    seed=st.integers(0, 2**16),
)
def test_output_and_gradients_are_those_of_pefts_layer(shape, bias, seed):
    theirs, ours = (adapted(bias, own) for own in (False, True))
    assert kinds(theirs) == [Linear] * 2
    assert kinds(ours) == [LowRankLinear] * 2
    x = torch.randn(*shape, WIDTH, dtype=torch.double, generator=torch.manual_seed(seed))
    for one, other in zip(answer(theirs, x), answer(ours, x), strict=True):
        torch.testing.assert_close(one, other)
        assert other.is_contiguous()  # what goes into a file of tensors must be


class _Operators(TorchDispatchMode):
    """Counts operators by name."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None):
        self.seen.append(function.overloadpacket.__name__)
        return function(*args, **(kwargs or {}))


def operators(model: Any, x: torch.Tensor) -> list[str]:
    with _Operators() as mode:
        model(x)
    return mode.seen


def test_nothing_as_wide_as_the_output_is_scaled_or_summed_apart():
    x = torch.ones(2, 3, WIDTH, dtype=torch.double)
    assert "add" in operators(adapted(False, ours=False), x)
    assert "add" not in operators(adapted(False, ours=True), x)


@pytest.mark.parametrize(
    "options", [{"lora_dropout": 0.5}, {"use_dora": True}, {"lora_bias": True}]
)
def test_what_is_more_than_plain_lora_is_left_to_peft(options):
    x = torch.ones(2, 3, WIDTH, dtype=torch.double)
    theirs, ours = (adapted(True, own, **options) for own in (False, True))
    for model in (theirs, ours):
        model.train()
        torch.manual_seed(1)
        model.seen = answer(model, x)
    for one, other in zip(theirs.seen, ours.seen, strict=True):
        torch.testing.assert_close(one, other)


def test_types_that_autocast_chooses_are_pefts_own():
    x = torch.ones(2, 3, WIDTH)
    theirs, ours = (adapted(True, own).float() for own in (False, True))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert ours(x).dtype == torch.bfloat16
        assert torch.equal(ours(x), theirs(x))


def test_a_layer_that_is_trained_itself_gets_its_gradient():
    model = adapted(True, ours=True)
    base = model.base_model.model[0].base_layer
    base.weight.requires_grad_()
    model(torch.ones(2, WIDTH, dtype=torch.double)).sum().backward()
    assert base.weight.grad is not None


def test_several_adapters_and_none_are_left_to_peft():
    x = torch.ones(2, WIDTH, dtype=torch.double)
    model = adapted(False, ours=True)
    with model.disable_adapter():
        bare = model(x)
    torch.testing.assert_close(bare, _bare(model, x))
    assert not torch.allclose(bare, model(x))
    merged = deepcopy(model).merge_and_unload()
    torch.testing.assert_close(merged(x), model(x))
    model.add_adapter("second", LoraConfig(r=2, target_modules=["0", "2"]))
    model.base_model.set_adapter(["default", "second"])
    torch.testing.assert_close(model.double()(x), merged(x))  # a new one adds nothing


def test_an_adapter_that_leaves_some_layers_out_does_not_hide_the_other():
    x = torch.ones(2, WIDTH, dtype=torch.double)
    theirs, ours = (adapted(False, own) for own in (False, True))
    for model in (theirs, ours):
        torch.manual_seed(2)
        options = {"r": 2, "target_modules": ["2"], "init_lora_weights": False}
        model.add_adapter("second", LoraConfig(**options))
        model.base_model.set_adapter(["default", "second"])
        model.double()
    torch.testing.assert_close(ours(x), theirs(x))


def _bare(model: Any, x: torch.Tensor) -> torch.Tensor:
    first, act, last = model.base_model.model
    return last.base_layer(act(first.base_layer(x)))


def test_methods_take_it_where_weights_are_not_packed(tmp_path):
    base = tiny_base(tmp_path, "llama")
    assert set(kinds(Lora().prepare(load_model(base)))) == {LowRankLinear}
    assert set(kinds(Dora().prepare(load_model(base)))) == {LowRankLinear}
    packed = QLora()
    model = packed.prepare(load_model(base, **packed.base_options()))
    assert LowRankLinear not in {type(module) for module in model.modules()}
