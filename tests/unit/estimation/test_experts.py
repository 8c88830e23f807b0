"""Mixtures of experts: PEFT switches autocast off in them, on shapes alone too."""

import pytest
import torch
from transformers import Qwen3MoeConfig

from tasks.estimation.config import RunShape
from tasks.estimation.estimate import MemoryEstimate, estimate_memory
from tasks.estimation.peft_method import peft_preparation

LAYERS, WIDTH, INNER, EXPERTS, LENGTH = 2, 64, 96, 4, 256


def estimated(experts_per_token: int, prepare: object = lambda model: model) -> MemoryEstimate:
    config = Qwen3MoeConfig(
        hidden_size=WIDTH,
        moe_intermediate_size=INNER,
        num_hidden_layers=LAYERS,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=16,
        num_experts=EXPERTS,
        num_experts_per_tok=experts_per_token,
        vocab_size=500,
    )
    shape = RunShape(batch_size=1, sequence_length=LENGTH)
    return estimate_memory(config, prepare, shape)  # type: ignore[arg-type]


def test_each_further_expert_of_a_token_keeps_its_part() -> None:
    one, two = (estimated(experts) for experts in (1, 2))
    assert one.weights == two.weights
    # At least its input, both halves of its first layer and their product, 2 bytes each.
    kept = 2 * LENGTH * LAYERS * (WIDTH + 2 * INNER + INNER)
    assert kept <= two.activations - one.activations <= 3 * kept


@pytest.mark.parametrize("rank", [2, 4])
def test_experts_that_a_method_adapts_are_estimated(rank: int) -> None:
    autocast = torch.autocast
    lora = {"peft_type": "LORA", "r": rank, "target_parameters": ["mlp.experts.down_proj"]}
    found = estimated(2, peft_preparation(lora))
    assert found.trainable_parameters == LAYERS * EXPERTS * rank * (WIDTH + INNER)
    assert torch.autocast is autocast
