"""Shapes of a model, with and without its weights."""

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM

from tasks.modeling.base_model import load_model
from tasks.modeling.shapes import LinearShape, is_named, shapes_of
from tests.tiny_models import tiny_base


@pytest.fixture
def base(tmp_path):
    return tiny_base(tmp_path, "gemma3")


def test_a_configuration_alone_gives_the_shapes_of_the_loaded_model(base):
    with torch.device("meta"):
        empty = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(base.folder))
    assert shapes_of(empty) == shapes_of(load_model(base))


def test_the_output_layer_is_no_layer_of_the_decoder(base):
    model = load_model(base)
    shapes = shapes_of(model)
    assert shapes.total == sum(p.numel() for p in model.parameters())
    assert len(shapes.linears) == 7 * 2
    assert LinearShape("model.layers.0.mlp.down_proj", 32, 64) in shapes.linears
    assert (shapes.hidden_size, shapes.key_value_size, shapes.layers) == (32, 16, 2)
    assert len(shapes.norms) == 6 * 2 + 1  # four around the sub-layers, two in attention


def test_layers_are_selected_by_the_ends_of_their_names(base):
    shapes = shapes_of(load_model(base))
    assert {x.name[-6:] for x in shapes.select(("q_proj", "v_proj"))} == {"q_proj", "v_proj"}
    assert shapes.select(("all-linear",)) == list(shapes.linears)
    assert is_named("a.q_proj", ("q_proj",))
    assert not is_named("a.seq_proj", ("q_proj",))
