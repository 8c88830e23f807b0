import pytest
import torch
from torch import nn

from tasks.modeling import vocabulary_slices
from tasks.modeling.base_model import load_model
from tasks.modeling.vocabulary_slices import can_be_sliced, log_probabilities
from tests.tiny_models import tiny_base

TOKEN = torch.tensor([[3]])


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("at_once", [2**20, 5, 30])
def test_slices_give_the_log_probabilities_of_the_whole_vocabulary(
    bias: bool, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vocabulary_slices, "LOGITS_AT_ONCE", at_once)
    torch.manual_seed(0)
    head, hidden = nn.Linear(8, 101, bias=bias), torch.randn(5, 8) * 9
    at, tokens = torch.tensor([0, 0, 1, 2, 4, 4]), torch.tensor([0, 100, 7, 50, 99, 99])
    with torch.inference_mode():
        found = log_probabilities(head, hidden, at, tokens)
        assert torch.allclose(found, head(hidden).log_softmax(-1)[at, tokens], atol=1e-5)


def test_a_certain_token_keeps_its_small_loss() -> None:
    head = nn.Linear(1, 3, bias=False)
    head.weight.data = torch.tensor([[100.0], [88.0], [0.0]])
    with torch.inference_mode():
        found = log_probabilities(head, torch.ones(1, 1), torch.tensor([0]), torch.tensor([0]))
    assert found.item() == pytest.approx(-6.144e-6, rel=1e-2)


def test_only_a_plain_matrix_at_the_end_is_sliced(tmp_path) -> None:
    class OtherHead(nn.Linear):
        """A head of another kind, such as a quantised one."""

    assert can_be_sliced(load_model(tiny_base(tmp_path / "plain", "gemma3")), TOKEN)
    capped = load_model(tiny_base(tmp_path / "capped", "gemma3"))
    capped.config.final_logit_softcapping = 2.0
    assert not can_be_sliced(capped, TOKEN)
    other = load_model(tiny_base(tmp_path / "other", "llama"))
    assert can_be_sliced(other, TOKEN)
    other.get_output_embeddings().__class__ = OtherHead
    assert not can_be_sliced(other, TOKEN)


def test_a_head_whose_output_others_change_is_not_sliced(tmp_path) -> None:
    """Accelerate replaces `forward` where weights lie elsewhere until they are needed."""
    model = load_model(tiny_base(tmp_path, "llama"))
    head = model.get_output_embeddings()
    head.forward = head.forward
    assert not can_be_sliced(model, TOKEN)
    del head.forward
    handle = head.register_forward_hook(lambda _module, _inputs, output: output * 2)
    assert not can_be_sliced(model, TOKEN)
    handle.remove()
    assert can_be_sliced(model, TOKEN)
