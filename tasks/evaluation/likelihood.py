"""How likely a model finds given tokens: answers after their prompts, and plain text.

Rows go through the model in batches of similar length, which bounds what is spent on
padding, and with a bounded number of scored tokens, which bounds the logits.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import nn

from tasks.modeling.chat import IGNORED, EncodedExample
from tasks.modeling.supervised import Batch, collate, forward, token_losses
from tasks.modeling.vocabulary_slices import can_be_sliced, sliced_log_probabilities
from tasks.progress import track

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

# Tokens of a batch, padding included. On the embedded model and a CPU, 1,024 took 97 % of
# the time of 512, and 2,048 or 4,096 took no less, but more memory.
TOKENS_PER_FORWARD = 1_024


class Size(NamedTuple):
    """What a row costs: its length, and how many of its positions need logits."""

    length: int
    scored: int


def text_ids(tokenizer: "PreTrainedTokenizerBase", text: str) -> list[int]:
    """Return a text's tokens behind one that starts a sequence, so that all can be scored.

    Tokenizers without such a token get their end token, which separates documents in
    pretraining (the convention of EleutherAI's lm-evaluation-harness, `prefix_token_id`).
    """
    start = tokenizer.bos_token_id
    start = tokenizer.eos_token_id if start is None else start
    return [start, *tokenizer(text, add_special_tokens=False)["input_ids"]]


def text_windows(
    tokenizer: "PreTrainedTokenizerBase", text: str, max_length: int, most: int | None = None
) -> list[EncodedExample]:
    """Return a text as rows of at most `max_length` tokens; each token is scored once.

    Args:
        tokenizer: The model's.
        text: The text.
        max_length: Longest row in tokens.
        most: How many of the text's first tokens are scored; all if None.
    """
    start, *tokens = text_ids(tokenizer, text)
    tokens = tokens[:most]
    step = max_length - 1
    return [
        EncodedExample((start, *window), (IGNORED, *window))
        for window in (tokens[at : at + step] for at in range(0, len(tokens), step))
    ]


def summed_losses(
    model: nn.Module, rows: Sequence[EncodedExample], pad_token_id: int, limit: int, what: str
) -> list[float]:
    """Return the negative log-likelihood of each row's supervised tokens, in nats.

    Args:
        model: A causal language model, wrapped or not, in evaluation mode.
        rows: Encoded rows of any length.
        pad_token_id: Token to pad with.
        limit: Most supervised tokens in one forward.
        what: What the rows are, for the progress line.
    """
    found = losses_by_token(model, rows, pad_token_id, limit, what)
    return [float(losses.sum()) for losses in found]


def losses_by_token(
    model: nn.Module, rows: Sequence[EncodedExample], pad_token_id: int, limit: int, what: str
) -> list[torch.Tensor]:
    """Return the loss of each supervised token of each row, in nats; arguments as above."""
    pieces = [(index, piece) for index, row in enumerate(rows) for piece in _pieces(row, limit)]
    sizes = [Size(len(piece.input_ids), len(piece.supervised)) for _, piece in pieces]
    found: dict[int, torch.Tensor] = {}
    batches = plan_batches(sizes, limit)
    for batch in track(batches, what, len(batches)):
        losses, row = _losses(model, [pieces[at][1] for at in batch], pad_token_id)
        found |= {at: losses[row == place] for place, at in enumerate(batch)}
    parts: list[list[torch.Tensor]] = [[] for _ in rows]
    for at, (index, _) in enumerate(pieces):
        parts[index].append(found[at])
    return [torch.cat(losses) for losses in parts]


def plan_batches(
    sizes: Sequence[Size], limit: int, tokens: int = TOKENS_PER_FORWARD
) -> list[list[int]]:
    """Group rows of similar length so that no batch exceeds its limits.

    Args:
        sizes: Cost of each row.
        limit: Most scored positions in a batch; a single row may exceed it.
        tokens: Most tokens of a batch, padding included; a single row may exceed it.

    Returns:
        Row indices, longest rows first: what does not fit into memory fails at once.
    """
    batches: list[list[int]] = []
    scored = longest = 0
    for index in sorted(range(len(sizes)), key=lambda at: sizes[at], reverse=True):
        scored += sizes[index].scored
        padded = (len(batches[-1]) + 1) * longest if batches else 0
        if not batches or scored > limit or padded > tokens:
            batches.append([])
            scored, longest = sizes[index].scored, sizes[index].length
        batches[-1].append(index)
    return batches


def _pieces(row: EncodedExample, limit: int) -> Iterable[EncodedExample]:
    """Return the row several times, each with at most `limit` of its labels."""
    labelled = [at for at, label in enumerate(row.labels) if label != IGNORED]
    for start in range(0, len(labelled), limit):
        chosen = set(labelled[start : start + limit])
        end = max(chosen) + 1
        labels = [row.labels[at] if at in chosen else IGNORED for at in range(end)]
        yield EncodedExample(row.input_ids[:end], tuple(labels))


def _losses(
    model: nn.Module, rows: list[EncodedExample], pad_token_id: int
) -> tuple[torch.Tensor, torch.Tensor]:
    device = next(model.parameters()).device
    batch = collate(rows, pad_token_id).to(device)
    with torch.inference_mode():
        if can_be_sliced(model, batch.input_ids[:1, :1]):
            losses, row = _sliced_losses(model, batch)
        else:
            losses, row = token_losses(model, batch)
    return losses.double().cpu(), row.cpu()


def _sliced_losses(model: nn.Module, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    """Return what `token_losses` does, in a third less time."""
    keep = torch.zeros_like(batch.labels, dtype=torch.bool)
    keep[:, :-1] = batch.labels[:, 1:] != IGNORED  # position t predicts token t + 1
    wanted = batch.labels[:, 1:][keep[:, :-1]]
    at = torch.arange(len(wanted), device=wanted.device)
    found = sliced_log_probabilities(model, lambda: forward(model, batch), keep, at, wanted)
    return -found, keep.nonzero()[:, 0]
