"""Options of the training stage."""

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from data_contracts.base import Config
from tasks.training.method import METHODS, TrainingMethod
from tasks.training.methods.lora import Lora

if TYPE_CHECKING:
    AnyMethod = TrainingMethod
else:
    AnyMethod = METHODS.union()  # what pydantic validates: one of the registered methods


class TrainingConfig(Config):
    """How the model is trained, whatever the method."""

    method: AnyMethod = Field(default_factory=Lora, description="How weights are made trainable.")
    learning_rate: float | None = Field(
        None, gt=0, description="Peak learning rate; without one, the method's own default."
    )
    epochs: float = Field(3.0, gt=0, description="Passes over the training rows, at most.")
    max_steps: int = Field(-1, ge=-1, description="Optimizer steps, at most; -1 for no limit.")
    batch_size: int = Field(8, ge=1, description="Rows in one forward pass.")
    gradient_accumulation: int = Field(
        1, ge=1, description="Forward passes in one step; equals the larger batch exactly."
    )
    max_length: int = Field(
        512, ge=16, description="Longest row in tokens; a longer one is an error, never cut."
    )
    warmup_share: float = Field(
        0.05, ge=0, lt=1, description="Share of the steps in which the learning rate rises."
    )
    schedule: Literal["linear", "cosine", "constant_with_warmup"] = Field(
        "cosine", description="How the learning rate falls after warm-up."
    )
    weight_decay: float = Field(0.01, ge=0, description="Decoupled weight decay of AdamW.")
    max_grad_norm: float = Field(1.0, gt=0, description="Gradients are clipped to this norm.")
    evaluations_per_epoch: int = Field(
        2, ge=1, description="How often validation loss is measured and a checkpoint written."
    )
    patience: int = Field(
        3, ge=1, description="Stop after so many evaluations in a row without improvement."
    )
    seed: int = Field(17, description="Set before model and adapter are built.")

    @property
    def peak_learning_rate(self) -> float:
        """The learning rate in force."""
        return self.learning_rate or self.method.default_learning_rate
