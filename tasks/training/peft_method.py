"""What all methods that PEFT implements have in common."""

import warnings
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from data_contracts.errors import ConfigError
from tasks.modeling.shapes import LinearShape, ModelShapes
from tasks.training.method import TrainingMethod

if TYPE_CHECKING:
    from torch import nn

ALL_LINEAR = ("all-linear",)


class PeftMethod(TrainingMethod):
    """A method of PEFT's: the model is wrapped, the adapter lies beside it."""

    merges: ClassVar[bool] = True
    unloads: ClassVar[bool] = True
    # Begin of a warning of PEFT's that is no news; its class says why.
    expected_warning: ClassVar[str] = ""

    @abstractmethod
    def peft_config(self, model: "nn.Module") -> Any:
        """Return PEFT's configuration of the method for this model."""

    def prepare(self, model: "nn.Module") -> "nn.Module":
        """Wrap the model; only the adapter requires gradients.

        Raises:
            ConfigError: PEFT refuses the options for this model.
        """
        from peft import get_peft_model

        try:
            with self._quiet():
                wrapped: nn.Module = get_peft_model(model, self.peft_config(model))
        except (TypeError, ValueError) as error:
            raise ConfigError(
                f"PEFT cannot apply {self.method} to {type(model).__name__} with these options: "
                f"{error} Change them under training.method; `temper methods` explains each."
            ) from error
        return wrapped

    def needs_float32(self) -> str:
        """Return nothing: PEFT keeps adapters in single precision, beside frozen weights."""
        return ""

    def save(self, model: "nn.Module", folder: Path) -> None:
        """Write the adapter alone."""
        model.save_pretrained(folder)  # type: ignore[operator]

    def load(self, base: "nn.Module", folder: Path) -> "nn.Module":
        """Put the saved adapter onto the base."""
        from peft import PeftModel

        with self._quiet():
            tuned: nn.Module = PeftModel.from_pretrained(base, folder)
        return tuned

    def merge(self, model: "nn.Module") -> "nn.Module":
        """Add the update to the weights and take the adapter away."""
        if not self.merges:
            return super().merge(model)
        merged: nn.Module = model.merge_and_unload()  # type: ignore[operator]
        return merged

    def unload(self, model: "nn.Module") -> "nn.Module":
        """Take the adapter away."""
        base: nn.Module = model.unload()  # type: ignore[operator]
        # PEFT leaves its mark on the base, and warns when it then sees the next adapter.
        if hasattr(base, "peft_config"):
            del base.peft_config
        return base

    @contextmanager
    def _quiet(self) -> Iterator[None]:
        with warnings.catch_warnings():
            if self.expected_warning:
                warnings.filterwarnings("ignore", self.expected_warning)
            yield


class LinearPeftMethod(PeftMethod):
    """A method of PEFT's that adapts linear layers, each on its own."""

    target_modules: tuple[str, ...] = Field(
        ALL_LINEAR,
        description="Names of the modules to adapt; `all-linear` takes all but the output layer.",
    )

    @property
    def targets(self) -> str | list[str]:
        """The modules to adapt as PEFT wants them named."""
        return "all-linear" if self.target_modules == ALL_LINEAR else list(self.target_modules)

    @abstractmethod
    def parameters_of(self, linear: LinearShape) -> int:
        """Return how many parameters the method trains for one linear layer."""

    def trainable_parameters(self, shapes: ModelShapes) -> int:
        """Return the sum over the adapted layers."""
        return sum(self.parameters_of(linear) for linear in shapes.select(self.target_modules))


class PromptMethod(PeftMethod):
    """A method of PEFT's that learns virtual tokens in front of every row."""

    merges: ClassVar[bool] = False
    identity_at_start: ClassVar[bool] = False
    inference_cost: ClassVar = "context"

    tokens: int = Field(20, ge=1, description="Virtual tokens; each takes a place in the context.")

    def context_tokens(self) -> int:
        """Return the virtual tokens."""
        return self.tokens

    def prepare(self, model: "nn.Module") -> "nn.Module":
        """Put the virtual tokens before the model; only they require gradients."""
        _leave_positions_to_peft()
        return super().prepare(model)

    def load(self, base: "nn.Module", folder: Path) -> "nn.Module":
        """Put the saved virtual tokens before the base."""
        _leave_positions_to_peft()
        return super().load(base, folder)

    def unload(self, model: "nn.Module") -> "nn.Module":
        """Return the base, which a prompt does not touch."""
        base: nn.Module = model.get_base_model()  # type: ignore[operator]
        return base


def _leave_positions_to_peft() -> None:
    """Silence what PEFT says at every token of `generate`, which always gives positions.

    PEFT counts them from the first virtual token on, as in training.
    """
    warnings.filterwarnings("ignore", "Position ids are not supported for parameter efficient")
