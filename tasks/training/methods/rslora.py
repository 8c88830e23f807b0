"""rsLoRA: LoRA whose scale does not shrink the update at high ranks."""

from typing import Any, ClassVar, Literal

from tasks.training.low_rank import LowRank
from tasks.training.method import METHODS


@METHODS.register
class RsLora(LowRank):
    """Rank-stabilised LoRA: the update is scaled by alpha / √rank, so that high ranks learn."""

    default_learning_rate: ClassVar[float] = 2e-4
    source: ClassVar[str] = "Kalajdzievski 2023, arXiv 2312.03732"

    method: Literal["rslora"] = "rslora"

    def lora_options(self) -> dict[str, Any]:
        """Choose the scale."""
        return {"use_rslora": True}
