"""The methods that are ours: compared with a forward pass by hand, and with what they promise."""

from typing import Any

import pytest
import torch
from torch.nn.functional import gelu, linear

from data_contracts.errors import ConfigError, ModelError, TrainingError, UnknownName
from tasks.modeling.base_model import load_model
from tasks.modeling.chat import IGNORED, EncodedExample
from tasks.modeling.supervised import collate, token_losses
from tasks.training.methods.bottleneck import Bottleneck
from tasks.training.methods.full import Full
from tasks.training.methods.lora import Lora
from tasks.training.methods.loraplus import LoraPlus
from tasks.training.methods.osf import Osf
from tasks.training.methods.peft import AnyPeft
from tasks.training.methods.progressive import Progressive
from tasks.training.methods.qlora import QLora
from tasks.training.methods.wegeft import WeGeFt
from tests.tiny_models import tiny_base

IDS = torch.tensor([[2, 5, 6, 7]])
BATCH = collate([EncodedExample((2, 5, 6, 7, 8, 1), (IGNORED, IGNORED, IGNORED, 7, 8, 1))], 0)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tiny_base(tmp_path_factory.mktemp("base"), "llama")


def disturb(model: torch.nn.Module) -> None:
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter += 0.1 * torch.randn_like(parameter)


def by_hand(base: Any, change: Any) -> torch.Tensor:
    """Run a Llama layer by layer; `change(layer, place, input, output)` stands for adapters."""
    model: Any = load_model(base)
    inner = model.model
    hidden = inner.embed_tokens(IDS)
    positions = torch.arange(IDS.shape[1])[None]
    rotary = inner.rotary_emb(hidden, positions)
    for number, layer in enumerate(inner.layers):
        normed = layer.input_layernorm(hidden)
        attended = layer.self_attn(normed, position_embeddings=rotary, attention_mask=None)[0]
        hidden = hidden + change(number, "self_attn", normed, attended)
        normed = layer.post_attention_layernorm(hidden)
        hidden = hidden + change(number, "mlp", normed, layer.mlp(normed))
    return model.lm_head(inner.norm(hidden))


@pytest.mark.parametrize("placement", ["houlsby", "pfeiffer", "parallel"])
def test_bottleneck_adapters_equal_a_forward_pass_by_hand(placement, base):
    method = Bottleneck(placement=placement, size=4, scaling=0.5)
    model: Any = method.prepare(load_model(base))
    disturb(model)
    state = model.state_dict()

    def change(number: int, place: str, before: torch.Tensor, after: torch.Tensor) -> torch.Tensor:
        if place == "self_attn" and placement != "houlsby":
            return after
        down, _act, up = (f"model.layers.{number}.{place}.bottleneck.{part}" for part in range(3))
        read = before if placement == "parallel" else after
        inner = gelu(linear(read, state[f"{down}.weight"], state[f"{down}.bias"]))
        return after + 0.5 * linear(inner, state[f"{up}.weight"], state[f"{up}.bias"])

    with torch.no_grad():
        assert torch.allclose(model(IDS).logits, by_hand(base, change), atol=1e-5)
        plain = by_hand(base, lambda *args: args[-1])
        assert torch.allclose(load_model(base)(IDS).logits, plain, atol=1e-5)
        assert not torch.allclose(model(IDS).logits, plain, atol=1e-2)


def test_wegeft_computes_with_the_generated_weights(base):
    method = WeGeFt(rank=4, target_modules=("q_proj", "down_proj"))
    model: Any = method.prepare(load_model(base))
    disturb(model)
    assert set(model.wegeft) == {"q_proj_32", "down_proj_64"}
    expected: Any = load_model(base)
    with torch.no_grad():
        for layer in expected.model.layers:
            for kind, target in (
                ("q_proj_32", layer.self_attn.q_proj),
                ("down_proj_64", layer.mlp.down_proj),
            ):
                phi, psi = (m.weight for m in model.wegeft[kind])
                target.weight += target.weight @ phi @ psi
        assert torch.allclose(model(IDS).logits, expected(IDS).logits, atol=1e-4)


def test_wegeft_is_smaller_than_lora_of_the_same_rank(base):
    from tasks.modeling.shapes import shapes_of

    shapes = shapes_of(load_model(base))
    deep = type(shapes)(**{**vars(shapes), "linears": shapes.linears * 10})
    assert WeGeFt(rank=8).trainable_parameters(deep) == WeGeFt(rank=8).trainable_parameters(shapes)
    assert Lora(rank=8).trainable_parameters(deep) == 10 * Lora(rank=8).trainable_parameters(shapes)


def test_osf_leaves_the_large_directions_of_every_weight_alone(base):
    method = Osf()
    model: Any = method.prepare(load_model(base))
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-2)
    for step in range(3):
        token_losses(model, BATCH)[0].mean().backward()
        optimizer.step()
        method.after_step(model, step)
        optimizer.zero_grad()
    for layer in (m for m in model.modules() if hasattr(m, "osf_svd_params")):
        weight = layer.get_base_layer().weight.detach()
        change = layer.get_delta_weight("default").detach()
        left, values, right = torch.linalg.svd(weight, full_matrices=False)
        kept = int(len(values) * method.kept_share)
        assert change.norm() > 1e-3
        assert (left[:, :kept].T @ change).norm() < 1e-4 * change.norm() + 1e-5
        assert (change @ right[:kept].T).norm() < 1e-4 * change.norm() + 1e-5


def test_a_progressive_column_trains_without_gradients_in_the_old_one(base):
    model: Any = Progressive(width=8).prepare(load_model(base))
    disturb(model)
    seen = []
    for layer in model.model.layers:
        layer.register_forward_hook(lambda m, i, o: seen.append(o.requires_grad))
    token_losses(model, BATCH)[0].mean().backward()
    assert len(seen) >= 2  # a first call also tries the head on one token
    assert not any(seen)
    assert all(p.grad is not None for p in model.column.lateral.parameters())


def test_a_progressive_column_reads_every_layer_of_the_old_one(base):
    model: Any = Progressive(width=8).prepare(load_model(base))
    disturb(model)
    with torch.no_grad():
        before = model(IDS).logits
        for lateral in model.column.lateral:
            kept = lateral.weight.clone()
            lateral.weight.zero_()
            assert not torch.allclose(model(IDS).logits, before, atol=1e-4)
            lateral.weight.copy_(kept)


def test_qlora_holds_four_bits_and_has_gradients_after_an_evaluation(base):
    method = QLora(rank=4)
    model: Any = method.prepare(load_model(base, **method.base_options()))
    packed = [p for p in model.parameters() if type(p).__name__ == "Params4bit"]
    assert len(packed) == 14  # seven linear layers in each of two decoder layers
    assert all(p.dtype == torch.uint8 and p.quant_state.nested for p in packed)
    gradients = []
    for _evaluated in range(2):
        token_losses(model.train(), BATCH)[0].mean().backward()
        gradients.append([p.grad.clone() for p in model.parameters() if p.requires_grad])
        model.zero_grad()
        with torch.no_grad():
            token_losses(model.eval(), BATCH)
    assert all(torch.equal(a, b) for a, b in zip(*gradients, strict=True))


def test_qlora_is_not_merged_into_four_bits(base, tmp_path):
    method = QLora(rank=4)
    model = method.prepare(load_model(base, **method.base_options()))
    with pytest.raises(TrainingError, match="not merged into the 4-bit base.*16 or 32 bits"):
        method.merge(model)


def test_loraplus_trains_b_faster_than_a(base):
    method = LoraPlus(rate_ratio=4)
    model = method.prepare(load_model(base))
    made = method.optimizer(model, torch.optim.AdamW, {"lr": 1e-3, "weight_decay": 0.1})
    names = {id(p): name for name, p in model.named_parameters()}
    rates = {
        names[id(p)].split(".")[-3]: (group["lr"], group["weight_decay"])
        for group in made.param_groups
        for p in group["params"]
    }
    assert rates == {"lora_A": (1e-3, 0.1), "lora_B": (4e-3, 0.1)}


def test_a_tuner_that_peft_does_not_have_is_named_with_near_ones():
    with pytest.raises(UnknownName, match="Did you mean 'randlora'"):
        AnyPeft(tuner="randlor")


@pytest.mark.parametrize("options", [{"rr": 4}, {"r": 4, "target_modules": 7, "n": 1}])
def test_options_that_peft_refuses_are_refused_as_ours(options):
    with pytest.raises(ConfigError, match="PEFT refuses training.method.options for hra.*HRAConf"):
        AnyPeft(tuner="hra", options=options)


def test_modules_that_do_not_exist_are_said(base):
    with pytest.raises(ConfigError, match="PEFT cannot apply lora to LlamaForCausalLM"):
        Lora(target_modules=("no_such_layer",)).prepare(load_model(base))


def test_freezing_all_layers_is_refused(base):
    with pytest.raises(ConfigError, match="frozen_layers is 2, but the model has 2 layers"):
        Full(frozen_layers=2).prepare(load_model(base))


def test_an_adapter_of_other_options_is_refused(base, tmp_path):
    model = Bottleneck(size=4).prepare(load_model(base))
    Bottleneck(size=4).save(model, tmp_path)
    with pytest.raises(ModelError, match="does not fit the model: 6 tensors"):
        Bottleneck(size=5).load(load_model(base), tmp_path)


def test_a_method_without_an_adapter_cannot_be_merged_or_taken_off(base):
    model = Progressive().prepare(load_model(base))
    with pytest.raises(TrainingError, match="progressive cannot be merged"):
        Progressive().merge(model)
    with pytest.raises(TrainingError, match="full has no adapter"):
        Full().unload(load_model(base))
