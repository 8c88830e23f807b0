"""LoRA+: LoRA whose two matrices learn at different rates."""

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from tasks.training.low_rank import LowRank
from tasks.training.method import METHODS

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer


@METHODS.register
class LoraPlus(LowRank):
    """LoRA+ trains B with a higher learning rate than A, by PEFT's optimizer."""

    default_learning_rate: ClassVar[float] = 1e-4
    source: ClassVar[str] = "Hayou et al. 2024, arXiv 2402.12354"

    method: Literal["loraplus"] = "loraplus"
    rate_ratio: float = Field(
        16.0, ge=1, description="The learning rate of B is that of A times this."
    )

    def optimizer(
        self, model: "nn.Module", kind: "type[Optimizer]", options: dict[str, Any]
    ) -> "Optimizer":
        """Return an optimizer with one group for A and one for B."""
        from peft.optimizers import create_loraplus_optimizer

        options = {**options, "loraplus_weight_decay": options.pop("weight_decay", 0.0)}
        made: Optimizer = create_loraplus_optimizer(
            model, kind, loraplus_lr_ratio=self.rate_ratio, **options
        )
        return made
