"""Log-probabilities without logits of the whole vocabulary: a slice of it after the other.

For measuring, where no gradient is wanted. A slice's logits stay in the processor's cache while
they are summed up, and every position goes through the head at once: scoring 256 positions over
262,144 tokens took 1.2 s of processor time, and 2.3 s with whole rows of logits, 64 at a time.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from tasks.modeling.supervised import before_head, head_is_last

# Logits that exist at once: 4 MiB in single precision.
LOGITS_AT_ONCE = 2**20


def can_be_sliced(model: Any, token: Tensor) -> bool:
    """Return whether a model ends in a plain matrix: not quantised, adapted, watched or capped.

    Args:
        model: A causal language model of transformers, wrapped or not.
        token: Any token, shape (1, 1), to try it with.
    """
    head = model.get_output_embeddings()
    plain = type(head) is nn.Linear and "forward" not in vars(head)
    return plain and not head._forward_hooks and head_is_last(model, head, token)


def sliced_log_probabilities(
    model: Any, forward: Callable[[], object], keep: Tensor, at: Tensor, tokens: Tensor
) -> Tensor:
    """Return how likely tokens are, in nats, from a forward that computes no logits itself.

    Args:
        model: Of which `can_be_sliced` is true.
        forward: Sends a batch through the model.
        keep: Which positions (rows, length) of the batch are looked at.
        at: Of each token, which of these positions predicts it.
        tokens: Tokens, as many as `at`.
    """
    head = model.get_output_embeddings()
    with before_head(
        head, keep, lambda hidden: log_probabilities(head, hidden, at, tokens)
    ) as found:
        forward()
    return found[0]


def log_probabilities(head: nn.Linear, hidden: Tensor, at: Tensor, tokens: Tensor) -> Tensor:
    """Return how likely tokens are at given positions, in nats, in single precision.

    Args:
        head: The output embedding, of which nothing comes after.
        hidden: What goes into it, shape (positions, width).
        at: Of each token, the position that predicts it.
        tokens: Tokens, as many as `at`.
    """
    columns = hidden.t().contiguous()
    size = max(1, LOGITS_AT_ONCE // max(1, hidden.shape[0]))
    highest = torch.full(hidden.shape[:1], -torch.inf, device=hidden.device)
    total, own = torch.zeros_like(highest), torch.empty(len(at), device=hidden.device)
    for start in range(0, head.weight.shape[0], size):
        logits = _logits(head, columns, slice(start, start + size))
        here = ((tokens >= start) & (tokens < start + size)).nonzero()[:, 0]
        own[here] = logits[tokens[here] - start, at[here]]
        top = torch.maximum(highest, logits.amax(0))
        total = total * (highest - top).exp() + logits.sub_(top).exp_().sum(0)
        highest = top
    # Subtracted before the logarithm is added: of a likely token only that is left.
    return (own - highest[at]) - total.log()[at]


def _logits(head: nn.Linear, columns: Tensor, part: slice) -> Tensor:
    logits = torch.mm(head.weight[part], columns)
    if head.bias is not None:
        logits += head.bias[part, None]
    return logits.float()
