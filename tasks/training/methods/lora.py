"""LoRA: a low-rank update beside each frozen weight matrix."""

from typing import ClassVar, Literal

from tasks.training.low_rank import LowRank
from tasks.training.method import METHODS


@METHODS.register
class Lora(LowRank):
    """Low-rank adaptation: W + (alpha / rank) · B·A with W frozen.

    B is zero at the start, so that the model begins as the base. Merges into W after training
    at no cost in latency.
    """

    default_learning_rate: ClassVar[float] = 2e-4
    source: ClassVar[str] = "Hu et al. 2021, arXiv 2106.09685"
    allows_sharding: ClassVar[bool] = True

    method: Literal["lora"] = "lora"
