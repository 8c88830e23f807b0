"""Options of the training stage."""

from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, model_validator

from data_contracts.base import Config
from tasks.modeling.canary import CanaryConfig
from tasks.training.anchor_config import AnchorConfig
from tasks.training.base_precision import BasePrecision
from tasks.training.method import METHODS, Recomputation, TrainingMethod
from tasks.training.methods.lora import Lora
from tasks.training.mitigation import MITIGATIONS, Mitigation

if TYPE_CHECKING:
    AnyMethod = TrainingMethod
    AnyMitigation = Mitigation
else:  # what pydantic validates: one of those registered
    AnyMethod = METHODS.union()
    AnyMitigation = MITIGATIONS.union()


class TrainingConfig(Config):
    """How the model is trained, whatever the method."""

    method: AnyMethod = Field(default_factory=Lora, description="How weights are made trainable.")
    mitigations: tuple[AnyMitigation, ...] = Field(
        (), description="What is done against forgetting; several go together."
    )
    anchors: AnchorConfig = Field(
        default_factory=AnchorConfig,
        description="Texts on which mitigations that need some hold the model in place.",
    )
    base_precision: BasePrecision = Field(
        "auto",
        description="Type in which the base's weights are held while it is trained on and "
        "measured, where the method leaves them frozen. `auto`: bfloat16 on an accelerator that "
        "computes in it, if the base was published in bfloat16, so that no weight changes; else "
        "float32, and always for methods that train or change the base's own weights. What is "
        "trained is in float32 in any case. Not for qlora, which has a type of its own.",
    )
    learning_rate: float | None = Field(
        None, gt=0, description="Peak learning rate; without one, the method's own default."
    )
    epochs: float = Field(3.0, gt=0, description="Passes over the training rows, at most.")
    max_steps: int = Field(-1, ge=-1, description="Optimizer steps, at most; -1 for no limit.")
    batch_size: int = Field(8, ge=1, description="Rows in one forward pass.")
    gradient_accumulation: int = Field(
        1, ge=1, description="Forward passes in one step; equals the larger batch exactly."
    )
    processes: int = Field(
        1,
        ge=1,
        description="Processes that share each batch, by `accelerate launch`: one an accelerator. "
        "The rows of a step, and so the loss, are those of one process.",
    )
    sharding: Literal["none", "fsdp"] = Field(
        "none",
        description="With several processes: each holds the whole model (none), or a part of "
        "weights, gradients and optimizer state (fsdp).",
    )
    max_length: int = Field(
        512, ge=16, description="Longest row in tokens; a longer one is an error, never cut."
    )
    warmup_share: float = Field(
        0.05, ge=0, lt=1, description="Share of the steps in which the learning rate rises."
    )
    schedule: Literal["linear", "cosine", "constant_with_warmup"] = Field(
        "cosine", description="How the learning rate falls after warm-up."
    )
    optimizer: Literal["adamw", "adamw_8bit", "paged_adamw_8bit", "adafactor"] = Field(
        "adamw",
        description="What steps are taken with. AdamW keeps 8 bytes a trained parameter, the 8-bit "
        "ones 2 (paged: in the host's memory if need be), Adafactor less than 1.",
    )
    gradient_checkpointing: Recomputation = Field(
        "none",
        description="What the backward pass computes anew instead of keeping it. `selective`: what "
        "lies between the large products, a quarter less memory on long rows for a sixth more "
        "time. `full`: whole layers, the least memory, a third more time.",
    )
    weight_decay: float = Field(0.01, ge=0, description="Decoupled weight decay of AdamW.")
    l1: float = Field(
        0.0, ge=0, description="This times the sum of the trained parameters' sizes joins the loss."
    )
    label_smoothing: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Share of each target that is spread over the vocabulary; training loss only.",
    )
    model_dropout: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Dropout inside the base model (in most decoders: of attention). The adapter's "
        "own is an option of its method.",
    )
    neftune_alpha: float = Field(
        0.0,
        ge=0,
        description="Noise on the embeddings in training (NEFTune, Jain et al. 2023, arXiv "
        "2310.05914, which takes 5); 0 for none.",
    )
    supervise: Literal["answer", "all_turns"] = Field(
        "answer",
        description="What carries labels in a row with earlier turns: the answer, or every turn "
        "of the assistant.",
    )
    order: Literal["random", "known_first", "unknown_first"] = Field(
        "random",
        description="Order of the rows of an epoch: at random, or by knowledge class (HighlyKnown, "
        "MaybeKnown, WeaklyKnown, Unknown, or the reverse), at random within a class.",
    )
    packing: bool = Field(
        False,
        description="Rows of a batch share sequences, each seeing itself alone: less padding. "
        "Refused where a model or method does not keep rows apart.",
    )
    max_grad_norm: float = Field(1.0, gt=0, description="Gradients are clipped to this norm.")
    evaluations_per_epoch: int = Field(
        2, ge=1, description="How often validation loss is measured and a checkpoint written."
    )
    patience: int = Field(
        3, ge=1, description="Stop after so many evaluations in a row without improvement."
    )
    seed: int = Field(17, description="Set before model and adapter are built.")
    canaries: CanaryConfig = Field(
        default_factory=CanaryConfig,
        description="Random secrets planted into training to measure memorisation. They are in no "
        "dataset; a version trained on any says so in the registry.",
    )

    @model_validator(mode="after")
    def _method_bears_the_rest(self) -> Self:
        name = self.method.method
        if self.gradient_checkpointing != "none" and not self.method.allows_checkpointing:
            raise ValueError(f"gradient_checkpointing does not go with method {name}.")
        if self.packing and self.method.context_tokens():
            raise ValueError(f"packing does not go with the virtual tokens of method {name}.")
        reason = self.method.needs_float32()
        if self.base_precision == "bfloat16" and reason:
            raise ValueError(
                f"base_precision bfloat16 does not go with method {name}, which {reason}. Set it "
                "to auto or float32, or take a method that leaves the base alone, such as lora."
            )
        if self.base_precision == "bfloat16" and self.method.packs_base:
            raise ValueError(
                f"base_precision bfloat16 does not go with method {name}, which packs the base in "
                "fewer bits and holds the rest in the type that the machine computes in. Set it "
                "to auto or float32: it then says in which type the base is measured."
            )
        return self

    @model_validator(mode="after")
    def _processes_share_evenly(self) -> Self:
        if self.batch_size % self.processes:
            raise ValueError(
                f"batch_size {self.batch_size} cannot be shared by {self.processes} processes: "
                "take a multiple."
            )
        if self.sharding == "fsdp" and self.processes == 1:
            raise ValueError("sharding fsdp is for several processes: set training.processes.")
        if self.sharding == "fsdp" and not self.method.allows_sharding:
            raise ValueError(f"sharding fsdp does not go with method {self.method.method}.")
        if self.processes > 1 and any(each.active for each in self.mitigations):
            raise ValueError(
                "mitigations are for one process: set training.processes to 1, or leave them out "
                "with training.mitigations=[]."
            )
        return self

    @model_validator(mode="after")
    def _each_mitigation_once(self) -> Self:
        names = [each.mitigation for each in self.mitigations]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"The mitigation {twice[0]} is named twice: give its options once.")
        return self

    @property
    def needs_anchors(self) -> bool:
        """Whether an active mitigation wants anchor texts."""
        return any(each.active and each.needs_anchors for each in self.mitigations)

    @property
    def every_turn(self) -> bool:
        """Whether the assistant's earlier turns carry labels."""
        return self.supervise == "all_turns"

    @property
    def peak_learning_rate(self) -> float:
        """The learning rate in force."""
        return self.learning_rate or self.method.default_learning_rate
