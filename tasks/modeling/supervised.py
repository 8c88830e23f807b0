"""Cross-entropy that computes logits only where there is a label, and some at a time.

With a vocabulary of 262,144 the head is the larger part of a small model's work, and in
question answering most positions carry no label. A hook before the output embedding takes
the supervised positions away and computes their losses there, a slice after the other, so
that this works with any architecture and with whatever a training method wraps around the
model, and so that peak memory does not grow with vocabulary times supervised tokens.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.parallel import DistributedDataParallel
from torch.utils.checkpoint import checkpoint

from tasks.modeling.chat import IGNORED, EncodedExample

# Logits that exist at once: 64 MiB in single precision, 64 positions of Gemma's vocabulary.
# Large enough that the products are bound by arithmetic and not by reading the weights.
LOGITS_IN_A_SLICE = 2**24

Losses = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Batch:
    """Right-padded rows; all tensors have shape (rows, longest row).

    Attributes:
        attention_mask: None where several rows share a sequence; then `position_ids` tell
            them apart.
        position_ids: None where each row is a sequence of its own.
    """

    input_ids: Tensor
    attention_mask: Tensor | None
    labels: Tensor
    position_ids: Tensor | None = None

    def tensors(self) -> dict[str, Tensor]:
        """Return the tensors that there are, by name."""
        return {name: value for name, value in vars(self).items() if value is not None}

    def to(self, device: torch.device) -> "Batch":
        """Return the batch on a device."""
        mask, positions = self.attention_mask, self.position_ids
        return Batch(
            self.input_ids.to(device),
            None if mask is None else mask.to(device),
            self.labels.to(device),
            None if positions is None else positions.to(device),
        )


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
        return (_kept(inputs[0], keep).unsqueeze(0), *inputs[1:])

    handle = head.register_forward_pre_hook(select)
    try:
        yield
    finally:
        handle.remove()


def has_virtual_tokens(model: nn.Module) -> bool:
    """Return whether a method put learned tokens before every row."""
    config = getattr(model, "active_peft_config", None)
    return bool(getattr(config, "is_prompt_learning", False))


def token_losses(
    model: nn.Module, batch: Batch, label_smoothing: float = 0.0
) -> tuple[Tensor, Tensor]:
    """Return the loss of every supervised token and the row it belongs to.

    Args:
        model: A causal language model of transformers, wrapped or not.
        batch: Padded rows with labels.
        label_smoothing: Share of the target that is spread over the vocabulary (Szegedy et al.
            2016, arXiv 1512.00567, section 7).

    Returns:
        Losses in nats, shape (supervised tokens,), float32; row indices, same shape.
    """
    targets = batch.labels[:, 1:]
    supervised = targets != IGNORED

    def loss(logits: Tensor, wanted: Tensor) -> Tensor:
        return cross_entropy(
            logits.float(), wanted, reduction="none", label_smoothing=label_smoothing
        )

    losses = losses_at(model, batch, targets[supervised], loss)
    return losses, supervised.nonzero()[:, 0]


def losses_at(model: nn.Module, batch: Batch, wanted: Tensor, loss: Losses) -> Tensor:
    """Return a loss of one's own at every supervised position, from its logits.

    Args:
        model: A causal language model of transformers, wrapped or not.
        batch: Padded rows with labels.
        wanted: What `loss` compares each position's logits with, one entry a supervised token.
        loss: From logits, shape (positions, vocabulary), and entries of `wanted`, to values of
            shape (positions,); called for a slice of the positions at a time.
    """
    keep = torch.zeros_like(batch.labels, dtype=torch.bool)
    keep[:, :-1] = batch.labels[:, 1:] != IGNORED  # position t predicts token t + 1
    owner: Any = model.module if isinstance(model, DistributedDataParallel) else model
    head: Any = owner.get_output_embeddings()
    if not head_is_last(owner, head, batch.input_ids[:1, :1]):
        with only_positions(head, keep):
            return loss(forward(model, batch)[0], wanted)
    with before_head(head, keep, lambda hidden: _in_slices(head, hidden, wanted, loss)) as found:
        forward(model, batch)
    return found[0]


def forward(model: nn.Module, batch: Batch) -> Tensor:
    """Return the logits of a batch."""
    options = {} if batch.position_ids is None else {"position_ids": batch.position_ids}
    logits: Tensor = model(
        input_ids=batch.input_ids, attention_mask=batch.attention_mask, use_cache=False, **options
    ).logits
    return logits


def _kept(hidden: Tensor, keep: Tensor) -> Tensor:
    own: Tensor = hidden[:, -keep.shape[1] :]
    return own[keep]


@contextmanager
def before_head(
    head: nn.Module, keep: Tensor, take_from: Callable[[Tensor], Tensor]
) -> Iterator[list[Tensor]]:
    """While active, `head` computes no logits; what is made of its input goes into the list.

    Args:
        head: The output embedding.
        keep: Which positions (rows, length) are looked at.
        take_from: From what goes into the head at these positions, shape (positions, width).
    """
    found: list[Tensor] = []

    def take(_module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        handle.remove()  # or what calls the head in there would lead here again
        found.append(take_from(_kept(inputs[0], keep)))
        return (inputs[0][:, :0], *inputs[1:])

    handle = head.register_forward_pre_hook(take)
    try:
        yield found
    finally:
        handle.remove()


def _in_slices(head: Any, hidden: Tensor, wanted: Tensor, loss: Losses) -> Tensor:
    most = max(1, LOGITS_IN_A_SLICE // head.weight.shape[0])
    slices = max(1, ceil(len(hidden) / most))
    size = max(1, ceil(len(hidden) / slices))  # alike: a product of a few positions costs like many
    trained = any(p.requires_grad for p in head.parameters())

    def of_slice(states: Tensor, targets: Tensor) -> Tensor:
        return loss(head(states), targets)

    losses = []
    for states, targets in zip(torch.split(hidden, size), torch.split(wanted, size), strict=True):
        if not (torch.is_grad_enabled() and (trained or states.requires_grad)):
            losses.append(of_slice(states, targets))
        elif trained:
            anew = checkpoint(of_slice, states, targets, use_reentrant=False)
            losses.append(anew)
        else:
            losses.append(_FrozenHead.apply(states, targets, of_slice))  # type: ignore[no-untyped-call]
    return torch.cat(losses)


class _FrozenHead(torch.autograd.Function):
    """Losses of a slice whose gradients are computed at once, so that no logits are kept.

    A token's loss depends on its own state alone, so its gradient is the one computed here
    times whatever comes from above: nothing is computed twice.
    """

    @staticmethod
    def forward(ctx: Any, states: Tensor, targets: Tensor, of_slice: Losses) -> Tensor:
        with torch.enable_grad():
            leaf = states.detach().requires_grad_()
            losses = of_slice(leaf, targets)
            (gradient,) = torch.autograd.grad(losses.sum(), leaf)
        ctx.save_for_backward(gradient)
        return losses.detach()

    @staticmethod
    def backward(ctx: Any, above: Tensor) -> tuple[Tensor, None, None]:
        (gradient,) = ctx.saved_tensors
        return gradient * above.unsqueeze(1).to(gradient.dtype), None, None


_HEADS: WeakKeyDictionary[nn.Module, bool] = WeakKeyDictionary()


def head_is_last(model: nn.Module, head: nn.Module, token: Tensor) -> bool:
    """Return whether the head's output is the model's, with no capping or scaling after it.

    Tried once, with one token: no list of architectures could be complete.
    """
    if head not in _HEADS:
        seen: list[Tensor] = []
        handle = head.register_forward_hook(lambda _module, _inputs, output: seen.append(output))
        try:
            with torch.no_grad(), torch.random.fork_rng():
                logits = forward(model, Batch(token, torch.ones_like(token), token))
        finally:
            handle.remove()
        _HEADS[head] = torch.equal(logits.float(), seen[0].float())
    return _HEADS[head]
