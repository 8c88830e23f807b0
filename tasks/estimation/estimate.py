"""Peak memory and disk of a training run, from the base model's configuration alone."""

from typing import TYPE_CHECKING, Literal

from data_contracts.base import Result
from data_contracts.errors import ConfigError
from tasks.estimation.config import RunShape

if TYPE_CHECKING:
    from transformers import PretrainedConfig

    from tasks.estimation.trace import Prepare, Trace

GIB = 2**30

# Bytes of optimizer state a trained parameter: AdamW has two moments, in 8 bits with one
# single-precision scale a block of 256 (Dettmers et al. 2021, arXiv 2110.02861). Paged states
# move to the host when memory is short (Dettmers et al. 2023, section 3). None: two moments in
# the parameter's own type. Adafactor keeps a row and a column of each matrix: next to nothing.
STATE_BYTES: dict[str, float | None] = {
    "adamw": None,
    "adamw_fp32": 8,
    "adamw_8bit": 2 * (1 + 4 / 256),
    "paged_adamw": 0,
    "paged_adamw_8bit": 0,
    "adafactor": 0.01,
    "sgd": 0,
}

# Bytes of constants a packed parameter (Dettmers et al. 2023, arXiv 2305.14314, section 3): NF4
# has one single-precision scale a block of 64; double quantisation stores it in 8 bits, with a
# second scale for 256 of them: 32 / 64 = 0.5 bits a parameter becomes 0.127. Int8: one scale a row.
NF4_CONSTANTS = 4 / 64
NF4_DOUBLE_CONSTANTS = 1 / 64 + 4 / (64 * 256)
INT8_CONSTANTS = 4 / 4096

# The allocator takes memory from the device in segments of 2 and 20 MiB and cannot join pieces of
# different segments (c10/cuda/CUDACachingAllocator.h); what it holds is a little more than what
# lives. The one figure here that is not derived: see docs/results/estimate.md.
ALLOCATOR_SHARE = 0.03

# CUDA context, kernels of PyTorch and cuBLAS' workspace, outside what the allocator counts. On a
# processor the interpreter and its libraries take as much: 541 MiB, measured 2026-12-01.
CONTEXT_BYTES = 600 * 2**20

# Bytes of a number.
WIDTH = {"float32": 4, "bfloat16": 2, "float16": 2}

Moment = Literal["loading", "loss", "backward", "step"]


class MemoryEstimate(Result):
    """Bytes on each device at the moment when most are in use, and what the run writes."""

    parameters: int
    trainable_parameters: int
    # When the peak is: on loading, at the loss, on the way back, or at the optimizer's step.
    moment: Moment
    weights: int  # without the constants of quantisation
    quantisation_constants: int
    gradients: int
    optimizer: int
    activations: int
    logits: int
    communication: int  # buckets (DDP), or layers gathered (FSDP)
    allocator: int  # held by the allocator but not in use
    context: int  # the driver's own; not part of `peak`
    disk: int
    file: int = 0  # of the weights' file, mapped to be packed; the system drops it when in need

    @property
    def allocated(self) -> int:
        """What lives at once: what PyTorch reports as allocated; on a processor, with the file."""
        return (
            self.weights
            + self.quantisation_constants
            + self.gradients
            + self.optimizer
            + self.activations
            + self.logits
            + self.communication
            + self.file
        )

    @property
    def peak(self) -> int:
        """What PyTorch reports as reserved."""
        return self.allocated + self.allocator

    @property
    def device(self) -> int:
        """What the device must have free; a file in memory gives way."""
        return self.peak - self.file + self.context


def estimate_memory(
    config: "PretrainedConfig", prepare: "Prepare", shape: RunShape
) -> MemoryEstimate:
    """Return what a run needs at most on each device, and the size of its result.

    Args:
        config: The base model's configuration.
        prepare: Makes a model's weights trainable, as `TrainingMethod.prepare` does.
        shape: Batch, lengths, types, optimizer, devices.

    Raises:
        ModelError: The configuration is not that of a causal language model.
        ConfigError: The method does not fit the model, or nobody chose a type yet.
    """
    from tasks.estimation.trace import trace_step

    if shape.dtype == "auto":
        raise ConfigError(
            "dtype=auto is what Temper's trainer chooses for a method of its own. For a method of "
            "others name the type of the base's weights: dtype=bfloat16, float16 or float32."
        )

    traced = shape.model_copy(update={"dtype": "bfloat16"}) if shape.mixed_precision else shape
    return assemble(trace_step(config, prepare, traced), shape)


def assemble(trace: "Trace", shape: RunShape) -> MemoryEstimate:
    """Return the estimate that follows from a traced step."""
    mixed = shape.mixed_precision
    wider = 2 if mixed and shape.dtype == "float32" else 1  # traced in 16 bits
    # PEFT widens its adapters in the trace already; with autocast all that is trained is wide.
    trained = 4 * trace.trainable if mixed else trace.trainable_bytes
    weights, constants = _weights(trace, shape, wider, trained)
    optimizer = round(_state_bytes(shape.optimizer, trained, trace.trainable))
    optimizer += 4 * shape.kept_copies * trace.trainable
    shard = shape.devices if shape.parallel == "fsdp" else 1
    communication = _communication(trace, shape, trained)
    cast = 2 * trace.trainable if mixed else 0  # autocast's copies in 16 bits
    cast += trace.matrix_bytes if wider == 2 else 0
    moments = _moments(trace, shape, trained, cast + _unpacked(trace, shape))
    moment, gradients, activations, logits = max(
        moments, key=lambda parts: parts[1] // shard + parts[2] + parts[3]
    )
    used = [
        weights // shard,
        constants // shard,
        gradients // shard,
        optimizer // shard,
        activations,
        logits,
        communication,
    ]
    loading, file = _file(trace, shape)
    if loading > file + sum(used[2:]):  # nothing is trained yet
        moment, used, file = "loading", [*used[:2], 0, 0, 0, 0, 0], loading
    return MemoryEstimate(
        parameters=trace.parameters,
        trainable_parameters=trace.trainable,
        moment=moment,
        weights=used[0],
        quantisation_constants=used[1],
        gradients=used[2],
        optimizer=used[3],
        activations=used[4],
        logits=used[5],
        communication=used[6],
        allocator=round(ALLOCATOR_SHARE * sum(used)),
        context=CONTEXT_BYTES,
        disk=trace.saved_wide if mixed else trace.saved,
        file=file,
    )


def _weights(trace: "Trace", shape: RunShape, wider: int, trained: int) -> tuple[int, int]:
    """Return the bytes of the weights and of the constants that quantisation needs."""
    if shape.quantisation == "none":
        return (trace.weights - trace.trainable_bytes) * wider + trained, 0
    rest = trace.weights - trace.matrix_bytes
    if shape.quantisation == "int8":
        return rest + trace.matrices, round(INT8_CONSTANTS * trace.matrices)
    each = NF4_DOUBLE_CONSTANTS if shape.double_quantisation else NF4_CONSTANTS
    return rest + trace.matrices // 2, round(each * trace.matrices)


def _unpacked(trace: "Trace", shape: RunShape) -> int:
    """Return the bytes of the one packed matrix that is being computed with."""
    if shape.quantisation == "none":
        return 0
    return WIDTH["bfloat16" if shape.mixed_precision else shape.dtype] * trace.largest_matrix


def _file(trace: "Trace", shape: RunShape) -> tuple[int, int]:
    """Return how much of the weights' file is in memory when it was packed, and from then on.

    safetensors maps the file. What is packed or converted is made beside it, and the mapping goes
    when the last weight was read. But a weight that is taken as it is, for instance the embedding
    in single precision, is a piece of the mapping: with it all that was read stays. Measured on
    Gemma 3 270M in single precision, 2026-12-01: with QLoRA the process held 1.00 GiB of the file
    until its end, and 2.76 GiB at most; with LoRA 1.00 GiB and 2.52. From a copy of the file in
    bfloat16 it held nothing of it while it trained, and 2.34 GiB at most.
    """
    if shape.quantisation == "none" or shape.packed_from is None:
        return 0, 0
    each = WIDTH[shape.packed_from]
    if shape.packed_from == shape.dtype:  # the rest is counted among the weights
        return each * trace.matrices, each * trace.matrices
    return each * (trace.parameters - trace.trainable), 0


def _state_bytes(optimizer: str, trained_bytes: int, trained: int) -> float:
    each = STATE_BYTES[optimizer]
    return 2 * trained_bytes if each is None else each * trained


def _moments(
    trace: "Trace", shape: RunShape, trained: int, extra: int
) -> list[tuple[Moment, int, int, int]]:
    """Return gradients, activations and logits at each moment that may be the highest."""
    kept = trained if shape.gradient_accumulation > 1 else 0
    on_the_way = max(0, trace.tail - trace.trainable_bytes)
    return [
        ("loss", kept, trace.activations + extra, trace.head),
        ("backward", trained, on_the_way + extra, 0),
        ("step", trained, 0, 0),  # fused, as trainers have it: no copies of the moments
    ]


def _communication(trace: "Trace", shape: RunShape, trained: int) -> int:
    if shape.devices == 1:
        return 0
    if shape.parallel == "ddp":
        return trained  # gradients are copied into buckets to be summed over devices
    return 2 * trace.largest_layer  # one layer at work, the next on its way
