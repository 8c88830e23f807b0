"""Saving and loading for the methods that are ours: the trained tensors alone, by name."""

from pathlib import Path

from torch import Tensor, nn

from data_contracts.errors import ModelError

FILE = "adapter.safetensors"


def save_trainable(model: nn.Module, folder: Path) -> None:
    """Write all parameters that require gradients."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    tensors = {
        name: p.detach().contiguous() for name, p in model.named_parameters() if p.requires_grad
    }
    save_file(tensors, folder / FILE)


def load_trainable(model: nn.Module, folder: Path) -> None:
    """Read what `save_trainable` wrote into a model that was prepared in the same way.

    Raises:
        ModelError: The file is missing, or belongs to other options or another base.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = folder / FILE
    try:
        tensors = load_file(path)
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{path} is no adapter: {error}") from error
    _check(model, tensors, path)
    model.load_state_dict(tensors, strict=False)


def _check(model: nn.Module, tensors: dict[str, Tensor], path: Path) -> None:
    expected = {name: p.shape for name, p in model.named_parameters() if p.requires_grad}
    found = {name: tensor.shape for name, tensor in tensors.items()}
    if expected != found:
        wrong = sorted(name for name in expected | found if expected.get(name) != found.get(name))
        raise ModelError(
            f"{path} does not fit the model: {len(wrong)} tensors are missing, too many or of "
            f"another shape, first {wrong[0]}. Load it with the options and the base it was "
            "trained with."
        )
