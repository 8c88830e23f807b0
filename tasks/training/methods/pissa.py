"""PiSSA: LoRA that starts from the principal part of each weight."""

from typing import Any, ClassVar, Literal

from tasks.training.low_rank_of_weights import LowRankOfWeights
from tasks.training.method import METHODS


@METHODS.register
class Pissa(LowRankOfWeights):
    """Principal singular values and vectors adaptation: A and B start from W's largest part.

    What is left of W is frozen. Learns faster than LoRA; the start takes one decomposition of
    each weight.
    """

    default_learning_rate: ClassVar[float] = 2e-4
    source: ClassVar[str] = "Meng et al. 2024, arXiv 2404.02948"

    method: Literal["pissa"] = "pissa"

    def lora_options(self) -> dict[str, Any]:
        """Start from the exact decomposition, so that a resumed run starts from the same."""
        return {"init_lora_weights": "pissa"}
