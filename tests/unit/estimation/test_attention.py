"""What attention keeps: masks in every layer, shared heads, and scores where nothing is fused."""

import pytest
import torch
from transformers import Qwen2Config

from data_contracts.errors import ConfigError
from tasks.estimation.config import RunShape
from tasks.estimation.estimate import MemoryEstimate, estimate_memory
from tasks.estimation.peft_method import peft_preparation

LAYERS, HEADS, KEY_HEADS, WIDTH, VOCABULARY = 3, 8, 2, 256, 500
LENGTH = 512


def estimated(**shape: object) -> MemoryEstimate:
    config = Qwen2Config(
        hidden_size=WIDTH,
        intermediate_size=256,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        num_key_value_heads=KEY_HEADS,
        vocab_size=VOCABULARY,
        tie_word_embeddings=True,
    )
    lora = peft_preparation({"peft_type": "LORA", "r": 4, "target_modules": ["q_proj"]})
    told = {"batch_size": 1, "sequence_length": LENGTH, **shape}
    return estimate_memory(config, lora, RunShape.model_validate(told))


def test_several_rows_keep_a_mask_in_every_layer_and_keys_for_every_head() -> None:
    one, two = (estimated(batch_size=rows).activations for rows in (1, 2))
    masks = 2 * LENGTH * LENGTH * (2 * LAYERS + 1)  # the model's own is of one byte a place
    repeated = 2 * 2 * 2 * LENGTH * (HEADS - KEY_HEADS) * (WIDTH // HEADS) * LAYERS
    assert two - 2 * one == pytest.approx(masks + repeated, rel=0.05)


@pytest.mark.parametrize("dtype", ["bfloat16", "float32"])
def test_single_precision_beside_packed_weights_keeps_the_scores(dtype: str) -> None:
    """Measured by others: 9.34 GiB of Qwen2.5 1.5B in NF4, of which 1.3 GiB are scores."""
    packed = {"quantisation": "nf4", "unpacked_in_single_precision": True, "dtype": dtype}
    short, long = (
        estimated(sequence_length=length, **packed).activations for length in (LENGTH, 2 * LENGTH)
    )
    square = long - 2 * short  # what does not grow with the length alone
    # Kept in each layer, and two gradients of them in the layer at work on the way back.
    scores = 4 * HEADS * LENGTH * LENGTH * 2 * (LAYERS + 2) if dtype == "bfloat16" else 0
    # What does not grow at all, such as the one matrix that is unpacked, is subtracted once.
    assert square == pytest.approx(scores, rel=0.01, abs=300_000)


def test_what_is_not_packed_is_widened_and_so_are_the_logits() -> None:
    plain, wide = (
        estimated(quantisation="nf4", unpacked_in_single_precision=choice)
        for choice in (False, True)
    )
    norms = (2 * LAYERS + 1) * WIDTH
    rest = VOCABULARY * WIDTH + norms
    assert wide.weights - plain.weights == pytest.approx(2 * rest, rel=0.02)
    assert wide.allocated > plain.allocated + 2 * rest
    assert wide.peak == wide.allocated + wide.allocator
    assert wide.disk == plain.disk


def test_without_quantisation_nothing_is_widened() -> None:
    assert estimated(unpacked_in_single_precision=True) == estimated()


def test_a_packed_layer_gives_back_single_precision() -> None:
    from tasks.estimation.unpacked import widen_unpacked

    class Head(torch.nn.Sequential):
        def get_output_embeddings(self) -> torch.nn.Module:
            return self[1]

    model = Head(torch.nn.Linear(4, 4), torch.nn.Linear(4, 2)).to(torch.bfloat16)
    widen_unpacked(model)
    assert model[0].weight.dtype == torch.bfloat16
    assert model[1].weight.dtype == torch.float32
    assert model(torch.ones(1, 4)).dtype == torch.float32


def test_a_method_that_asks_for_values_on_the_way_is_said_not_to_be_estimated() -> None:
    class Asking(torch.nn.Linear):
        def forward(self, rows: torch.Tensor) -> torch.Tensor:
            return super().forward(rows) + rows.nonzero().shape[0]

    def prepare(model: torch.nn.Module) -> torch.nn.Module:
        for layer in model.model.layers:  # type: ignore[union-attr]
            layer.self_attn.q_proj.__class__ = Asking
        return model

    config = Qwen2Config(
        hidden_size=32,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        vocab_size=VOCABULARY,
    )
    with pytest.raises(ConfigError, match="Measure it"):
        estimate_memory(config, prepare, RunShape(batch_size=1, sequence_length=8))
