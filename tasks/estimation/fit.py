"""Whether a run fits a device, and if not, the nearest settings that would."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from data_contracts.base import Result
from tasks.estimation.config import DType, RunShape
from tasks.estimation.estimate import MemoryEstimate, estimate_memory
from tasks.modeling.published import type_in
from tasks.training.base_precision import held_type
from tasks.training.config import TrainingConfig
from tasks.training.method import TrainingMethod
from tasks.training.methods.lora import Lora
from tasks.training.methods.qlora import QLora

if TYPE_CHECKING:
    from transformers import PretrainedConfig

GB = 1e9
MOST_SUGGESTIONS = 3

Candidate = tuple[tuple[str, ...], TrainingMethod, RunShape]


class Suggestion(Result):
    """Settings with which the run fits, and what it then needs, in bytes."""

    settings: tuple[str, ...]
    needed: int


class Fit(Result):
    """Whether a run fits; bytes that the device must have free, and that it has."""

    fits: bool
    needed: int
    available: int
    estimate: MemoryEstimate
    suggestions: tuple[Suggestion, ...]

    @property
    def explanation(self) -> str:
        """Say what is missing and what would help."""
        parts = self.estimate
        text = (
            f"The run needs about {self.needed / GB:.1f} GB on the device, where "
            f"{self.available / GB:.1f} GB can be had: weights {parts.weights / GB:.1f}, gradients "
            f"{parts.gradients / GB:.1f}, optimizer {parts.optimizer / GB:.1f}, activations "
            f"{parts.activations / GB:.1f}, logits {parts.logits / GB:.1f} GB. "
        )
        if not self.suggestions:
            return text + "No batch size or method helps: take a smaller base model."
        lines = [
            "  "
            + " ".join(f"--set {setting}" for setting in found.settings)
            + f"  ({found.needed / GB:.1f} GB)"
            for found in self.suggestions
        ]
        return text + "It would fit with:\n" + "\n".join(lines)


def training_shape(
    training: TrainingConfig,
    longest: int,
    supervised: int,
    accelerator: bool,
    native: bool = True,
) -> RunShape:
    """Return the shape of a step of Temper's trainer.

    Args:
        training: Options of training.
        longest: Tokens of the longest row.
        supervised: The most supervised tokens that a row has.
        accelerator: Whether it computes in bfloat16 (what is trained is in single precision).
        native: Whether it has bfloat16 of its own; where it is emulated no base is held in it
            unasked.
    """
    asked = training.base_precision
    return RunShape(
        batch_size=training.batch_size // training.processes,
        devices=training.processes,
        parallel="fsdp" if training.sharding == "fsdp" else "ddp",
        sequence_length=longest,
        supervised_tokens=supervised,
        dtype="float32" if asked == "auto" and not native else asked,
        mixed_precision=accelerator,
        optimizer=training.optimizer,
        gradient_checkpointing=training.gradient_checkpointing,
        gradient_accumulation=training.gradient_accumulation,
        kept_copies=sum(each.memory_copies for each in training.mitigations if each.active),
    )


def as_trained(shape: RunShape, method: TrainingMethod, config: "PretrainedConfig") -> RunShape:
    """Return the shape as our trainer has it: its type, logits in slices, QLoRA's base packed."""
    from tasks.modeling.supervised import LOGITS_IN_A_SLICE

    vocabulary = config.get_text_config().vocab_size
    known: dict[str, object] = {"dtype": chosen_type(shape, method, config)}
    if shape.logits_slice is None:
        known["logits_slice"] = max(1, LOGITS_IN_A_SLICE // vocabulary)
    if isinstance(method, QLora):
        known |= packed_base(shape, type_in(config))
        known |= {"double_quantisation": method.double_quantisation}
    return shape.model_copy(update=known)


def packed_base(shape: RunShape, published: str) -> dict[str, object]:
    """Return how QLoRA keeps the frozen weights (tasks/training/methods/qlora.py).

    Args:
        shape: As the trainer has it: mixed precision is an accelerator, none a processor.
        published: Type of the weights on disk.
    """
    packed: dict[str, object] = {"quantisation": "nf4", "mixed_precision": False}
    if shape.mixed_precision:
        return packed | {"dtype": "bfloat16"}
    halved = published in {"bfloat16", "float16"}
    return packed | {"dtype": "float32", "packed_from": published if halved else "float32"}


def chosen_type(shape: RunShape, method: TrainingMethod, config: "PretrainedConfig") -> DType:
    """Return the type of the base's weights: what is stated, or what the trainer chooses."""
    if shape.dtype != "auto":
        return shape.dtype
    return held_type("auto", method, type_in(config), accelerator=shape.mixed_precision)


def fit(
    config: "PretrainedConfig", method: TrainingMethod, shape: RunShape, device_bytes: int
) -> Fit:
    """Return whether a run fits, with at most three settings that would if it does not.

    Args:
        config: The base model's configuration.
        method: The training method.
        shape: The shape of a step.
        device_bytes: Bytes that are free on each device.
    """
    found = estimate_memory(config, method.prepare, as_trained(shape, method, config))
    fits = found.device <= device_bytes
    suggestions: list[Suggestion] = []
    for settings, other, smaller in () if fits else _nearest(method, shape, config):
        step = as_trained(smaller, other, config)
        needed = estimate_memory(config, other.prepare, step).device
        if needed <= device_bytes:
            suggestions.append(Suggestion(settings=settings, needed=needed))
        if len(suggestions) == MOST_SUGGESTIONS:
            break
    return Fit(
        fits=fits,
        needed=found.device,
        available=device_bytes,
        estimate=found,
        suggestions=tuple(suggestions),
    )


def _nearest(
    method: TrainingMethod, shape: RunShape, config: "PretrainedConfig"
) -> Iterator[Candidate]:
    """Yield what changes least first: the same result, then slower, rounded, another method."""
    batch = shape.batch_size
    whole = batch * shape.gradient_accumulation
    alone = shape.model_copy(update={"batch_size": 1, "gradient_accumulation": whole})
    # The trainer's batch is that of all devices.
    one_row = (f"training.batch_size={shape.devices}", f"training.gradient_accumulation={whole}")
    while batch > 1:
        batch //= 2
        steps = -(-whole // batch)
        yield (
            (
                f"training.batch_size={batch * shape.devices}",
                f"training.gradient_accumulation={steps}",
            ),
            method,
            shape.model_copy(update={"batch_size": batch, "gradient_accumulation": steps}),
        )
    if method.allows_checkpointing:
        for choice in ("selective", "full"):
            leaner = {"gradient_checkpointing": choice}
            kept = (f"training.gradient_checkpointing={choice}",)
            yield kept, method, shape.model_copy(update=leaner)
            yield (*kept, *one_row), method, alone.model_copy(update=leaner)
    wide = shape.mixed_precision and chosen_type(shape, method, config) == "float32"
    if wide and not method.needs_float32() and not method.packs_base:
        rounded = ("training.base_precision=bfloat16",)
        halved = {"dtype": "bfloat16"}
        yield rounded, method, shape.model_copy(update=halved)
        yield (*rounded, *one_row), method, alone.model_copy(update=halved)
    if method.method == "full":
        yield ("training.method.method=lora",), Lora(), shape
        yield ("training.method.method=lora", *one_row), Lora(), alone
    if shape.devices > 1 and shape.parallel == "fsdp" and not QLora.allows_sharding:
        return
    name = "training.method.method=qlora"
    yield (name,), QLora(), shape
    yield (name, *one_row), QLora(), alone
