"""Options of an estimate: everything but the model and the method that decides on memory."""

from typing import Literal

from pydantic import Field

from data_contracts.base import Config
from tasks.training.method import Recomputation

DType = Literal["auto", "float32", "bfloat16", "float16"]
Optimizer = Literal[
    "adamw", "adamw_fp32", "adamw_8bit", "paged_adamw", "paged_adamw_8bit", "adafactor", "sgd"
]


class RunShape(Config):
    """The shape of a training step and of the machines it runs on."""

    batch_size: int = Field(8, ge=1, description="Rows in one forward pass, on each device.")
    sequence_length: int = Field(512, ge=1, description="Tokens of the longest row.")
    supervised_tokens: int | None = Field(
        None,
        ge=1,
        description="Positions of a row whose logits are computed. Temper computes those that "
        "carry a label; without a number it is all of them, as other trainers do.",
    )
    logits_slice: int | None = Field(
        None,
        ge=1,
        description="Positions of a batch whose logits are computed at a time; for Temper's own "
        "trainer its slices are known.",
    )
    dtype: DType = Field(
        "bfloat16",
        description="Type of the base model's weights; `auto` is what Temper's trainer holds them "
        "in for the method and the base (`training.base_precision`).",
    )
    mixed_precision: bool = Field(
        False,
        description="The base's frozen weights as `dtype` says, what is trained in single "
        "precision, computation in bfloat16 (autocast).",
    )
    quantisation: Literal["none", "nf4", "int8"] = Field(
        "none", description="How the frozen matrices of the layers are stored."
    )
    double_quantisation: bool = Field(
        True, description="NF4 only: the constants are quantised themselves."
    )
    packed_from: Literal["float32", "bfloat16", "float16"] | None = Field(
        None,
        description="NF4 or int8 on a processor: the type of the weights' file, which goes through "
        "memory to be packed. Without one it is an accelerator, which packs each matrix as it "
        "comes.",
    )
    unpacked_in_single_precision: bool = Field(
        False,
        description="NF4 or int8: embeddings, norms and the head, which are not packed, are in "
        "single precision, as `peft.prepare_model_for_kbit_training` leaves them.",
    )
    optimizer: Optimizer = Field(
        "adamw",
        description="`adamw` keeps its moments in the parameters' own type, `adamw_fp32` in "
        "single precision; paged ones keep them in the host's memory.",
    )
    gradient_checkpointing: Recomputation = Field(
        "none",
        description="`full` keeps only each layer's input and computes the rest again, `selective` "
        "the results of its large products, too.",
    )
    gradient_accumulation: int = Field(
        1, ge=1, description="Forward passes in one step; from two on, gradients stay alive."
    )
    kept_copies: int = Field(
        0,
        ge=0,
        description="Copies of the trained parameters that mitigations of forgetting keep, in "
        "single precision: `temper mitigations` says how many each.",
    )
    devices: int = Field(1, ge=1, description="Accelerators that work together.")
    parallel: Literal["ddp", "fsdp"] = Field(
        "ddp", description="Several devices: each holds all (ddp) or its share (fsdp)."
    )

    @property
    def kept_positions(self) -> int | None:
        """Positions of each row whose logits live at once, None for all of them."""
        limits = [self.supervised_tokens] if self.supervised_tokens else []
        if self.logits_slice:
            limits.append(max(1, self.logits_slice // self.batch_size))
        return min([*limits, self.sequence_length]) if limits else None
