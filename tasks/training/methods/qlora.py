"""QLoRA: LoRA beside weights that are held in four bits."""

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from data_contracts.errors import TrainingError
from tasks.training.base_precision import computing_type
from tasks.training.low_rank import LowRank
from tasks.training.method import METHODS

if TYPE_CHECKING:
    from torch import nn


@METHODS.register
class QLora(LowRank):
    """LoRA on a base in 4-bit NormalFloat with double quantisation, by bitsandbytes.

    A quarter of the memory for weights, and slower: each weight is dequantised when it is used.
    Merges into the base of 16 or 32 bits, never into the one of four.
    """

    default_learning_rate: ClassVar[float] = 2e-4
    source: ClassVar[str] = "Dettmers et al. 2023, arXiv 2305.14314"

    packs_base: ClassVar[bool] = True

    method: Literal["qlora"] = "qlora"
    quantisation: Literal["nf4", "fp4"] = Field("nf4", description="The 4-bit data type.")
    double_quantisation: bool = Field(
        True, description="Quantise the scales as well: saves 0.37 bits a parameter."
    )

    def base_options(self) -> dict[str, Any]:
        """Return options that load the base in four bits, in place on the accelerator."""
        import torch
        from transformers import BitsAndBytesConfig

        computed_in = getattr(torch, computing_type())
        quantised = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type=self.quantisation,
            bnb_4bit_use_double_quant=self.double_quantisation,
            bnb_4bit_compute_dtype=computed_in,
        )
        device = torch.cuda.current_device() if torch.cuda.is_available() else "cpu"
        return {
            "quantization_config": quantised,
            "dtype": computed_in,
            "device_map": {"": device},
        }

    def merge(self, model: "nn.Module") -> "nn.Module":
        """Add the update to a base of 16 or 32 bits.

        Raises:
            TrainingError: The adapter lies on the quantised base.
        """
        if any(type(p).__name__ == "Params4bit" for p in model.parameters()):
            raise TrainingError(
                "A qlora adapter is not merged into the 4-bit base: rounding would undo a part "
                "of the training. Load it on the base in 16 or 32 bits, then merge."
            )
        return super().merge(model)
