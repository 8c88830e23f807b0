"""What learning without forgetting adds to the loss: divergence from the base's predictions."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from tasks.modeling.supervised import losses_at
from tasks.training.anchors import Anchors
from tasks.training.mitigation import Guard, Run

# The logarithm of less is not taken.
_LEAST = 1e-7


@dataclass(frozen=True)
class Said:
    """What the base predicts at each position of one text.

    Attributes:
        tokens: The likeliest, shape (positions, kept).
        chances: Their probabilities, same shape.
    """

    tokens: Tensor
    chances: Tensor


class Distillation(Guard):
    """Holds the base's predictions on anchor texts and measures divergence from them.

    Args:
        run: At its starting point.
        strength: Weight of the divergence.
        batch: Texts of one pass.
        kept: Likeliest tokens kept at each position.
    """

    def __init__(self, run: Run, strength: float, batch: int, kept: int) -> None:
        self.model, self.anchors = run.model, run.texts
        self.strength, self.batch = strength, batch
        base = run.model if run.starts_as_base else run.load_base()
        places = range(len(self.anchors.rows))
        said = (said_by(base, self.anchors, place, kept) for place in places)
        device = next(run.model.parameters()).device
        self.said = [Said(each.tokens.to(device), each.chances.to(device)) for each in said]

    def penalty(self, step: int) -> Tensor:
        """Return strength times the mean divergence per token of the texts whose turn it is."""
        places = self.anchors.turn(step, self.batch)
        tokens = torch.cat([self.said[place].tokens for place in places])
        chances = torch.cat([self.said[place].chances for place in places])
        positions = torch.arange(len(tokens), device=tokens.device)

        def divergence(logits: Tensor, at: Tensor) -> Tensor:
            return divergences(logits, tokens[at], chances[at])

        mode = self.model.training
        self.model.eval()  # the base spoke without dropout
        batch = self.anchors.batch(places, self.model)
        losses = losses_at(self.model, batch, positions, divergence)
        self.model.train(mode)
        return self.strength * losses.mean()


def said_by(model: nn.Module, anchors: Anchors, place: int, kept: int) -> Said:
    """Return a model's predictions on one anchor text."""
    found: list[Said] = []

    def keep(logits: Tensor, _at: Tensor) -> Tensor:
        chances, tokens = logits.float().softmax(-1).topk(min(kept, logits.shape[-1]))
        found.append(Said(tokens.int(), chances))
        return chances[:, 0]

    batch = anchors.batch([place], model)
    positions = torch.zeros(len(anchors.rows[place].supervised), device=batch.input_ids.device)
    mode = model.training
    model.eval()
    with torch.no_grad():
        losses_at(model, batch, positions, keep)
    model.train(mode)
    tokens = torch.cat([said.tokens for said in found])
    return Said(tokens, torch.cat([said.chances for said in found]))


def divergences(logits: Tensor, tokens: Tensor, chances: Tensor) -> Tensor:
    """Return the divergence of each position's prediction from the base's, in nats.

    The tokens that were not kept count as one: by the data processing inequality this is no
    more than the divergence over the whole vocabulary, and 0 only if all of these agree.

    Args:
        logits: Shape (positions, vocabulary).
        tokens: The base's likeliest, shape (positions, kept).
        chances: Their probabilities by the base.
    """
    logs = logits.float().log_softmax(-1).gather(-1, tokens.long())
    rest, own = (1 - chances.sum(-1)).clamp_min(_LEAST), (1 - logs.exp().sum(-1)).clamp_min(_LEAST)
    likeliest = chances * (chances.clamp_min(_LEAST).log() - logs)
    return likeliest.sum(-1) + rest * (rest.log() - own.log())
