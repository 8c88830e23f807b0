"""What a mitigation of forgetting is, and the registry of all mitigations."""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from data_contracts.base import Config
from data_contracts.errors import TrainingError
from tasks.registry import Registry

if TYPE_CHECKING:
    from torch import Tensor, nn

    from tasks.training.anchors import Anchors

VALIDATION_LOSS = "validation_loss"


@dataclass(frozen=True)
class Run:
    """What a mitigation may know of the run that it guards.

    Attributes:
        model: Prepared by the method, at its starting point.
        anchors: Texts on which the model is to stay as it is; None where no mitigation of the
            run wants any.
        load_base: Loads the untouched base anew, quantised if the method trains on it so.
        starts_as_base: Whether `model` computes what the base does.
        adapter: Whether the method trains modules of its own beside the base's weights.
        validation_loss: Measures the model as it stands, in nats per supervised token.
    """

    model: "nn.Module"
    anchors: "Anchors | None"
    load_base: "Callable[[], nn.Module]"
    starts_as_base: bool
    adapter: bool
    validation_loss: Callable[[], float]

    @property
    def texts(self) -> "Anchors":
        """The anchor texts, for a mitigation that said it needs them.

        Raises:
            TrainingError: There are none.
        """
        if self.anchors is None:
            raise TrainingError(
                "The run has no anchor texts, and a mitigation of it needs them. Train by "
                "`train_model`, which collects them by training.anchors."
            )
        return self.anchors


class Guard:
    """What a mitigation does during one run, and what it keeps for it; here nothing."""

    def penalty(self, step: int) -> "Tensor | None":
        """Return what joins the loss of a forward pass, in nats.

        Args:
            step: Optimizer steps taken so far. A step's passes are told the same number.
        """
        return None

    def backward(self, once: "Callable[[], Tensor]") -> "Tensor":
        """Leave the gradient of a batch in the parameters, added to what is there.

        Args:
            once: Goes forward and backward through the batch and returns its loss.
        """
        return once()

    def before_step(self, step: int) -> None:
        """Change gradients after they were clipped, before the optimizer uses them."""

    def after_step(self, step: int) -> None:
        """Change the step that the optimizer took."""

    def state(self) -> "dict[str, Tensor]":
        """Return what a checkpoint must hold besides what the start of a run gives anew."""
        return {}

    def restore(self, state: "dict[str, Tensor]") -> None:
        """Take a state back."""

    def finish(self, folder: Path) -> dict[str, float]:
        """End the run with the best checkpoint's weights in place.

        Args:
            folder: Of the tuned model; a file of one's own may lie in it.

        Returns:
            What there is to say about the run, by name. `VALIDATION_LOSS` among it tells that
            the weights are no longer the checkpoint's, and what their loss is.
        """
        return {}


class Mitigation(Config):
    """Something added to the loss, the gradient, the step or the result, against forgetting.

    A mitigation is one file in `tasks/training/mitigations`: a frozen Config whose fields are
    its options. It holds no state; `start` returns the guard that does. It knows of no method.
    """

    mitigation: str
    # Paper or documentation that it follows.
    source: ClassVar[str]
    # The option that says how much of it; at 0 training is plain, to the last bit.
    strength_option: ClassVar[str]
    needs_anchors: ClassVar[bool] = False
    # Copies of the trained parameters (single precision) that it keeps while training.
    copies: ClassVar[int] = 0

    @property
    def active(self) -> bool:
        """Whether it does anything."""
        return float(getattr(self, self.strength_option)) > 0

    @property
    def memory_copies(self) -> int:
        """How many copies of the trained parameters it keeps, with these options."""
        return self.copies

    def files(self) -> tuple[Path, ...]:
        """Return the files whose content decides what it does."""
        return ()

    def prepare(self, model: "nn.Module") -> None:
        """Change which of the method's parameters are trained.

        Raises:
            ConfigError: It does not go with the method or its options.
        """

    @abstractmethod
    def start(self, run: Run) -> Guard:
        """Return what guards this run; called at its starting point, resumed or not.

        Raises:
            ConfigError: It does not go with the method or its options.
        """


def trained(model: "nn.Module") -> "dict[str, Tensor]":
    """Return the parameters that are trained, by name."""
    return {name: p for name, p in model.named_parameters() if p.requires_grad}


MITIGATIONS: Registry[Mitigation] = Registry(
    "mitigation", "tasks.training.mitigations", "mitigation"
)
