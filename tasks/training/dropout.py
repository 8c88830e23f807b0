"""Dropout inside the base model, where its architecture has a place for it."""

from typing import Any

from torch import nn

from data_contracts.errors import TrainingError

# What transformers' architectures call the probability with which attention drops a weight.
_ATTENTION = ("attention_dropout", "attn_dropout", "dropout_p")


def set_dropout(model: nn.Module, probability: float) -> None:
    """Set every dropout of the model; it acts while training and never in evaluation.

    Raises:
        TrainingError: The architecture has none.
    """
    found = 0
    module: Any
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p, found = probability, found + 1
        for name in _ATTENTION:
            if isinstance(getattr(module, name, None), float):
                setattr(module, name, probability)
                found += 1
    if not found:
        raise TrainingError(
            f"{type(model).__name__} has no dropout that could be set. Set training.model_dropout "
            "to 0, or use the dropout of the method's adapter."
        )
