"""LoRA: a low-rank update beside each frozen weight matrix."""

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from tasks.training.method import METHODS, TrainingMethod

if TYPE_CHECKING:
    from torch import nn


@METHODS.register
class Lora(TrainingMethod):
    """Low-rank adaptation (Hu et al. 2021, arXiv 2106.09685), by PEFT.

    Trains W + (alpha / rank) · B·A with W frozen and B zero at the start, so that the model
    begins as the base. Merges into W after training at no cost in latency.
    """

    default_learning_rate: ClassVar[float] = 2e-4

    method: Literal["lora"] = "lora"
    rank: int = Field(8, ge=1, description="Rank of the update; capacity and size grow with it.")
    alpha: float = Field(16.0, gt=0, description="The update is scaled by alpha / rank.")
    dropout: float = Field(0.0, ge=0, lt=1, description="Dropout on the input of the update.")
    target_modules: tuple[str, ...] = Field(
        ("all-linear",),
        description="Names of the modules to adapt; `all-linear` takes all but the output layer.",
    )

    def prepare(self, model: "nn.Module") -> "nn.Module":
        """Wrap the model; only the update's matrices require gradients."""
        from peft import LoraConfig, get_peft_model

        targets = list(self.target_modules)
        config = LoraConfig(
            r=self.rank,
            lora_alpha=self.alpha,
            lora_dropout=self.dropout,
            target_modules="all-linear" if targets == ["all-linear"] else targets,
            task_type="CAUSAL_LM",
        )
        wrapped: nn.Module = get_peft_model(model, config)
        return wrapped

    def save(self, model: "nn.Module", folder: Path) -> None:
        """Write the adapter alone: a few megabytes."""
        model.save_pretrained(folder)  # type: ignore[operator]

    def load(self, base: "nn.Module", folder: Path) -> "nn.Module":
        """Put the saved adapter onto the base."""
        from peft import PeftModel

        tuned: nn.Module = PeftModel.from_pretrained(base, folder)
        return tuned
