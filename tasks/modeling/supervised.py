"""Cross-entropy that computes logits only where there is a label.

With a vocabulary of 262,144 the head is the larger part of a small model's work, and in
question answering most positions carry no label. A hook before the output embedding keeps
only the supervised positions, so that this works with any architecture and with whatever
a training method wraps around the model.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from tasks.modeling.chat import IGNORED, EncodedExample


@dataclass(frozen=True)
class Batch:
    """Right-padded rows; all tensors have shape (rows, longest row)."""

    input_ids: Tensor
    attention_mask: Tensor
    labels: Tensor


def collate(rows: list[EncodedExample], pad_token_id: int) -> Batch:
    """Pad rows to the longest of them."""
    longest = max(len(row.input_ids) for row in rows)
    ids = [[*row.input_ids, *[pad_token_id] * (longest - len(row.input_ids))] for row in rows]
    labels = [[*row.labels, *[IGNORED] * (longest - len(row.labels))] for row in rows]
    mask = [[1] * len(row.input_ids) + [0] * (longest - len(row.input_ids)) for row in rows]
    return Batch(torch.tensor(ids), torch.tensor(mask), torch.tensor(labels))


@contextmanager
def only_positions(head: nn.Module, keep: Tensor) -> Iterator[None]:
    """While active, `head` sees only the positions where `keep` (rows, length) is true.

    A method that puts virtual tokens before the row makes the hidden states longer than
    the row; the row's own positions are the last ones.
    """

    def select(_module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        hidden = inputs[0][:, -keep.shape[1] :]
        return (hidden[keep].unsqueeze(0), *inputs[1:])

    handle = head.register_forward_pre_hook(select)
    try:
        yield
    finally:
        handle.remove()


def token_losses(model: nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
    """Return the loss of every supervised token and the row it belongs to.

    Args:
        model: A causal language model of transformers, wrapped or not.
        batch: Padded rows with labels.

    Returns:
        Losses in nats, shape (supervised tokens,), float32; row indices, same shape.
    """
    targets = batch.labels[:, 1:]
    supervised = targets != IGNORED
    keep = torch.zeros_like(batch.labels, dtype=torch.bool)
    keep[:, :-1] = supervised  # position t predicts token t + 1
    head: Any = model.get_output_embeddings()  # type: ignore[operator]
    with only_positions(head, keep):
        output = model(
            input_ids=batch.input_ids, attention_mask=batch.attention_mask, use_cache=False
        )
    losses = cross_entropy(output.logits[0].float(), targets[supervised], reduction="none")
    return losses, supervised.nonzero()[:, 0]
