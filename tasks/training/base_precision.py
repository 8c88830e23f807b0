"""In which type a base's weights are held while it is trained on and measured.

16 bits are half the memory. They change nothing where the weights were published in bfloat16 and
stay frozen: autocast rounds them so for every product. What is trained needs 32: most steps of
AdamW are smaller than the distance between two numbers of 8 bits.
"""

from typing import TYPE_CHECKING, Literal

from data_contracts.results import BaseModelRef, HeldType

if TYPE_CHECKING:
    from torch import nn

    from tasks.training.config import TrainingConfig
    from tasks.training.method import TrainingMethod

BasePrecision = Literal["auto", "float32", "bfloat16"]
ComputingType = Literal["float32", "bfloat16", "float16"]


def held_type(
    asked: BasePrecision, method: "TrainingMethod", published: str, accelerator: bool
) -> HeldType:
    """Return the type in which a base is held.

    Args:
        asked: What the configuration says.
        method: What trains on it.
        published: Type of the weights on disk, as the base's own configuration tells.
        accelerator: Whether one is there that computes in bfloat16.
    """
    if asked != "auto":
        return asked
    # float16 has three bits more than bfloat16: to round them is for the user to ask for.
    halved = accelerator and published == "bfloat16" and not method.needs_float32()
    return "bfloat16" if halved else "float32"


def held_base(base: BaseModelRef, config: "TrainingConfig") -> BaseModelRef:
    """Return the base as a training with these options holds it on this machine."""
    from tasks.modeling.published import published_type

    found = held_type(
        config.base_precision, config.method, published_type(base.folder), computes_in_bfloat16()
    )
    return base.model_copy(update={"held_in": found})


def computing_type() -> ComputingType:
    """Return the type that this machine's large products are computed in.

    bfloat16 where the accelerator has it of its own; float16 on older ones, which would emulate
    it; on the processor single precision is the fastest and safest.
    """
    import torch

    if not torch.cuda.is_available():
        return "float32"
    native = torch.cuda.is_bf16_supported(including_emulation=False)
    return "bfloat16" if native else "float16"


def computes_in_bfloat16() -> bool:
    """Return whether there is an accelerator with bfloat16 of its own, not emulated."""
    return computing_type() == "bfloat16"


def in_bfloat16(model: "nn.Module") -> bool:
    """Return whether a model's weights are held in bfloat16, all or some."""
    import torch

    return any(parameter.dtype == torch.bfloat16 for parameter in model.parameters())
