"""Loss on general text in one figure: what a model must not have forgotten."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from torch import nn

from tasks.evaluation.config import EvaluationConfig
from tasks.evaluation.general import TextItem
from tasks.evaluation.likelihood import summed_losses, text_windows

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def text_loss(
    model: nn.Module,
    tokenizer: "PreTrainedTokenizerBase",
    texts: Sequence[TextItem],
    config: EvaluationConfig,
) -> float:
    """Return the mean loss on all tokens of the texts, in nats per token."""
    rows = [
        window for item in texts for window in text_windows(tokenizer, item.text, config.max_length)
    ]
    pad = int(tokenizer.pad_token_id)
    losses = summed_losses(
        model, rows, pad, config.scored_tokens_per_forward, "Scoring general text"
    )
    return sum(losses) / sum(len(row.supervised) for row in rows)
