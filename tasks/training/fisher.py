"""The diagonal of the Fisher information on anchor texts."""

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from data_contracts.errors import ConfigError
from tasks.modeling.supervised import token_losses
from tasks.training.anchors import Anchors
from tasks.training.mitigation import trained


def score(model: nn.Module, anchors: Anchors, place: int) -> tuple[dict[str, Tensor], int]:
    """Return the gradient of a text's negative log-likelihood, and the text's tokens.

    The model is left in the mode in which it was; no gradient of a parameter is touched.

    Args:
        model: With parameters that are trained.
        anchors: The texts.
        place: Which of them.
    """
    mode, parameters = model.training, trained(model)
    model.eval()  # without dropout and noise
    losses, _ = token_losses(model, anchors.batch([place], model))
    model.train(mode)
    gradients = torch.autograd.grad(losses.sum(), list(parameters.values()), allow_unused=True)
    found = {
        name: torch.zeros_like(p) if gradient is None else gradient
        for (name, p), gradient in zip(parameters.items(), gradients, strict=True)
    }
    return found, losses.numel()


def diagonal_fisher(model: nn.Module, anchors: Anchors) -> dict[str, Tensor]:
    """Return the mean squared score per token of every trained parameter.

    For tokens drawn from the model itself the scores of a text's tokens are uncorrelated, so
    the square of their sum is, in expectation, the sum of their squares; on texts by others it
    is the empirical Fisher information (Kunstner et al. 2019, arXiv 1905.12558).
    """
    total: dict[str, Tensor] = {}
    tokens = 0
    for place in range(len(anchors.rows)):
        gradients, count = score(model, anchors, place)
        tokens += count
        for name, gradient in gradients.items():
            square = gradient.float().square()
            total[name] = total[name] + square if name in total else square
    return {name: value / tokens for name, value in total.items()}


def add_earlier(information: dict[str, Tensor], path: Path, decay: float) -> None:
    """Add the Fisher information of earlier trainings, faded, to that of now.

    Raises:
        ConfigError: The file cannot be read, or is one of other parameters.
    """
    try:
        earlier = load_file(path)
    except (OSError, SafetensorError) as error:
        raise ConfigError(
            f"{path} is no Fisher information of an earlier training: {error}. Name the folder of "
            "a tuned model that was trained with online_ewc."
        ) from error
    shapes = {name: value.shape for name, value in information.items()}
    if shapes != {name: value.shape for name, value in earlier.items()}:
        raise ConfigError(
            f"{path} is of other parameters than are trained now. Train with the same method, "
            "options and architecture as before."
        )
    for name, value in information.items():
        value.add_(earlier[name].to(value.device), alpha=decay)
