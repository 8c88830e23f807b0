"""What a training method is, and the registry of all methods."""

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from data_contracts.base import Config
from data_contracts.errors import TrainingError
from tasks.modeling.shapes import ModelShapes
from tasks.registry import Registry

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.optim import Optimizer

# What a tuned model costs at inference beyond its base: nothing (or nothing once merged),
# small modules that stay in every layer, or positions of the context.
InferenceCost = Literal["none", "modules", "context"]

# What of the forward pass is computed anew in the backward pass: see `recomputation.py`.
Recomputation = Literal["none", "selective", "full"]


class TrainingMethod(Config):
    """How a base model's weights are made trainable, saved and loaded again.

    A method is one file in `tasks/training/methods`: a frozen Config whose fields are its
    options. It knows nothing of the trainer, of data or of mitigations.
    """

    method: str
    # The rate that the method's literature starts from; `training.learning_rate` overrides it.
    default_learning_rate: ClassVar[float]
    # Paper or documentation that the method follows.
    source: ClassVar[str]
    # Whether `merge` gives a model of the base's architecture and size.
    merges: ClassVar[bool] = False
    # Whether `unload` gives the untouched base back, so that another adapter can be put on it.
    unloads: ClassVar[bool] = False
    # Whether the prepared model's output equals the base's before the first step.
    identity_at_start: ClassVar[bool] = True
    inference_cost: ClassVar[InferenceCost] = "none"
    # Whether activations may be computed anew in the backward pass to save memory.
    allows_checkpointing: ClassVar[bool] = True

    # Whether the base is quantised when it is loaded.
    packs_base: ClassVar[bool] = False

    # Whether weights may be sharded over processes (FSDP): a method says so once it is tested.
    allows_sharding: ClassVar[bool] = False

    @abstractmethod
    def prepare(self, model: "nn.Module") -> "nn.Module":
        """Return the model with exactly the method's parameters requiring gradients."""

    @abstractmethod
    def save(self, model: "nn.Module", folder: Path) -> None:
        """Write what training changed to `folder`, as safetensors."""

    @abstractmethod
    def load(self, base: "nn.Module", folder: Path) -> "nn.Module":
        """Return the tuned model, given the untouched base and a folder that `save` wrote."""

    @abstractmethod
    def trainable_parameters(self, shapes: ModelShapes) -> int:
        """Return how many parameters `prepare` would make trainable."""

    def saved_values(self, shapes: ModelShapes) -> int:
        """Return how many numbers `save` would write."""
        return self.trainable_parameters(shapes)

    def context_tokens(self) -> int:
        """Return how many positions of the context the tuned model uses up."""
        return 0

    def base_options(self) -> dict[str, Any]:
        """Return options for loading the base, for a method that trains on a quantised one."""
        return {}

    def needs_float32(self) -> str:
        """Return why the base must be in single precision while this trains; "" if it need not.

        It need not where the base's own weights stay as they are and the method's parameters
        are apart from them, in single precision themselves.
        """
        return "does not say that it leaves the base's weights as they are"

    def start(
        self, model: "nn.Module", batches: "Iterable[Mapping[str, Tensor]]", total_steps: int
    ) -> None:
        """Finish the preparation that needs data or the length of the run.

        Args:
            model: What `prepare` returned.
            batches: Training batches, drawn when iterated over.
            total_steps: Optimizer steps of the whole run, at most.
        """

    def optimizer(
        self, model: "nn.Module", kind: "type[Optimizer]", options: dict[str, Any]
    ) -> "Optimizer | None":
        """Return an optimizer with the method's own parameter groups, None for the usual ones."""
        return None

    def penalty(self, model: "nn.Module") -> "Tensor | None":
        """Return what the method adds to the loss."""
        return None

    def after_step(self, model: "nn.Module", step: int) -> None:
        """Do what the method does after each optimizer step, while gradients still exist."""

    def state(self, model: "nn.Module") -> "dict[str, Tensor]":
        """Return what a checkpoint must hold, so that `prepare` and `restore` give it back."""
        return {name: p.detach() for name, p in model.named_parameters() if p.requires_grad}

    def restore(self, model: "nn.Module", state: "dict[str, Tensor]") -> None:
        """Put a state back into a prepared model.

        Raises:
            TrainingError: It is the state of another model or of other options.
        """
        unexpected = model.load_state_dict(state, strict=False).unexpected_keys
        if unexpected:
            raise TrainingError(
                f"The checkpoint does not fit the model: {unexpected[0]} and {len(unexpected) - 1} "
                "others are unknown to it. Delete the run's `.unfinished` folder to start anew."
            )

    def merge(self, model: "nn.Module") -> "nn.Module":
        """Return a model of the base's architecture that computes the same.

        Raises:
            TrainingError: The method's change is no change of weights.
        """
        raise TrainingError(
            f"A model tuned by {self.method} cannot be merged into its base. Serve it with its "
            "adapter, or choose a method that merges: `temper methods` says which do."
        )

    def unload(self, model: "nn.Module") -> "nn.Module":
        """Return the untouched base, ready for another adapter.

        Raises:
            TrainingError: The method has no adapter apart from the weights.
        """
        raise TrainingError(
            f"A model tuned by {self.method} has no adapter that could be taken off its base. "
            "Load the base anew."
        )


METHODS: Registry[TrainingMethod] = Registry("training method", "tasks.training.methods", "method")
