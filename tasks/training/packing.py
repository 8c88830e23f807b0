"""Several rows in one sequence, each seeing itself alone: less padding in a batch.

Positions start anew with each row. From that transformers builds a mask in which a row attends
to itself only; whether a model does so is measured before training, not believed.
"""

from collections.abc import Sequence

import torch
from torch import nn

from data_contracts.errors import TrainingError
from tasks.modeling.chat import IGNORED, EncodedExample
from tasks.modeling.supervised import Batch, collate, token_losses

# Largest difference, in nats, between a token's loss in a packed and in a padded sequence. Single
# precision leaves 1e-5; what leaks from another row is far larger.
_TOLERANCE = {torch.float32: 1e-3}
_TOLERANCE_OF_16_BITS = 5e-2
# Rows that the two are compared on.
_PROBE = 3


def pack(rows: Sequence[EncodedExample], pad_token_id: int) -> Batch:
    """Put rows into as few sequences as first-fit finds, none longer than the longest row.

    Longer sequences would pad still less and pay for it in attention, which is computed between
    all positions of a sequence.
    """
    room = max(len(row.input_ids) for row in rows)
    sequences: list[list[EncodedExample]] = []
    for row in sorted(rows, key=lambda row: -len(row.input_ids)):
        for sequence in sequences:
            if sum(len(other.input_ids) for other in sequence) + len(row.input_ids) <= room:
                sequence.append(row)
                break
        else:
            sequences.append([row])
    batch = collate([_joined(sequence) for sequence in sequences], pad_token_id)
    positions = torch.zeros_like(batch.input_ids)  # each padded position is a row of its own
    for index, sequence in enumerate(sequences):
        found = torch.cat([torch.arange(len(row.input_ids)) for row in sequence])
        positions[index, : len(found)] = found
    return Batch(batch.input_ids, None, batch.labels, positions)


def _joined(rows: Sequence[EncodedExample]) -> EncodedExample:
    ids = tuple(token for row in rows for token in row.input_ids)
    # No row's last token predicts the next row's first.
    labels = tuple(label for row in rows for label in (IGNORED, *row.labels[1:]))
    return EncodedExample(ids, labels)


def check_packing(model: nn.Module, rows: Sequence[EncodedExample], pad_token_id: int) -> None:
    """Prove that rows in one sequence do not see each other.

    Raises:
        TrainingError: The losses differ from those of rows on their own.
    """
    shortest = sorted(rows, key=lambda row: len(row.input_ids))[:_PROBE]
    parameter = next(model.parameters())
    was_training = model.training
    model.eval()
    with torch.no_grad():
        apart = [_losses(model, collate([row], pad_token_id), parameter) for row in shortest]
        joined = pack_into_one(shortest, pad_token_id)
        together = _losses(model, joined, parameter)
    model.train(was_training)
    difference = (torch.cat(apart) - together).abs().max().item()
    if difference > _TOLERANCE.get(parameter.dtype, _TOLERANCE_OF_16_BITS):
        raise TrainingError(
            f"training.packing does not go with this model or method: a token's loss changes by "
            f"{difference:.3g} nats when other rows share its sequence. Set training.packing to "
            "false; rows of like length are put together anyway."
        )


def pack_into_one(rows: Sequence[EncodedExample], pad_token_id: int) -> Batch:
    """Put all rows into one sequence, in the order given."""
    batch = collate([_joined(rows)], pad_token_id)
    positions = torch.cat([torch.arange(len(row.input_ids)) for row in rows])
    return Batch(batch.input_ids, None, batch.labels, positions.unsqueeze(0))


def _losses(model: nn.Module, batch: Batch, like: torch.Tensor) -> torch.Tensor:
    return token_losses(model, batch.to(like.device))[0]
