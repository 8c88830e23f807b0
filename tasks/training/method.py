"""What a training method is, and the registry of all methods."""

from abc import abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from data_contracts.base import Config
from tasks.registry import Registry

if TYPE_CHECKING:
    from torch import nn


class TrainingMethod(Config):
    """How a base model's weights are made trainable, saved and loaded again.

    A method is one file in `tasks/training/methods`: a frozen Config whose fields are its
    options. It knows nothing of the trainer, of data or of mitigations.
    """

    method: str
    # The rate that the method's literature starts from; `training.learning_rate` overrides it.
    default_learning_rate: ClassVar[float]

    @abstractmethod
    def prepare(self, model: "nn.Module") -> "nn.Module":
        """Return the model with exactly the method's parameters requiring gradients."""

    @abstractmethod
    def save(self, model: "nn.Module", folder: Path) -> None:
        """Write what training changed to `folder`, as safetensors."""

    @abstractmethod
    def load(self, base: "nn.Module", folder: Path) -> "nn.Module":
        """Return the tuned model, given the untouched base and a folder that `save` wrote."""


METHODS: Registry[TrainingMethod] = Registry("training method", "tasks.training.methods", "method")
