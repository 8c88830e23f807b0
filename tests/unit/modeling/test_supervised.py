"""The loss at supervised positions equals the loss of full logits."""

import pytest
import torch
from torch.nn.functional import cross_entropy

from tasks.modeling.base_model import load_model
from tasks.modeling.chat import IGNORED, EncodedExample
from tasks.modeling.supervised import collate, token_losses
from tests.tiny_models import tiny_base

ROWS = [
    EncodedExample((2, 5, 6, 7, 8, 1), (IGNORED, IGNORED, IGNORED, 7, 8, 1)),
    EncodedExample((2, 9, 4, 1), (IGNORED, IGNORED, 4, 1)),
]


@pytest.mark.parametrize("architecture", ["gemma3", "llama"])
def test_losses_equal_those_of_full_logits(architecture, tmp_path):
    model = load_model(tiny_base(tmp_path, architecture))
    batch = collate(ROWS, pad_token_id=0)
    losses, rows = token_losses(model, batch)
    logits = model(input_ids=batch.input_ids, attention_mask=batch.attention_mask).logits
    full = cross_entropy(
        logits[:, :-1].flatten(0, 1), batch.labels[:, 1:].flatten(), reduction="none"
    )
    assert torch.allclose(losses, full[full > 0], atol=1e-5)
    assert rows.tolist() == [0, 0, 0, 1, 1]


def test_the_head_sees_supervised_positions_only(tmp_path):
    model = load_model(tiny_base(tmp_path, "llama"))
    seen = []
    model.get_output_embeddings().register_forward_hook(lambda m, i, o: seen.append(o.shape))
    token_losses(model, collate(ROWS, pad_token_id=0))
    assert [shape[:2] for shape in seen] == [(1, 5)]


def test_the_hook_is_gone_afterwards(tmp_path):
    model = load_model(tiny_base(tmp_path, "llama"))
    token_losses(model, collate(ROWS, pad_token_id=0))
    assert model(torch.tensor([[2, 5, 6]])).logits.shape[:2] == (1, 3)
