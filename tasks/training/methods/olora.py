"""OLoRA: LoRA that starts from an orthonormal basis of each weight."""

from typing import Any, ClassVar, Literal

from tasks.training.low_rank_of_weights import LowRankOfWeights
from tasks.training.method import METHODS


@METHODS.register
class Olora(LowRankOfWeights):
    """Orthonormal LoRA: A and B start from the QR decomposition of W."""

    default_learning_rate: ClassVar[float] = 2e-4
    source: ClassVar[str] = "Büyükakyüz 2024, arXiv 2406.01775"

    method: Literal["olora"] = "olora"

    def lora_options(self) -> dict[str, Any]:
        """Start from the decomposition."""
        return {"init_lora_weights": "olora"}
