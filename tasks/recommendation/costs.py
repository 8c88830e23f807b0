"""What each method costs for a base model: estimated, never looked up."""

from typing import TYPE_CHECKING, Any

from tasks.estimation.config import RunShape
from tasks.estimation.estimate import estimate_memory
from tasks.estimation.fit import chosen_type, packed_base
from tasks.estimation.peft_method import peft_preparation
from tasks.modeling.published import type_in
from tasks.recommendation.recommend import Cost
from tasks.recommendation.rules import TRAITS
from tasks.training.method import METHODS
from tasks.training.methods.full import Full
from tasks.training.methods.lora import Lora

if TYPE_CHECKING:
    from transformers import PretrainedConfig

    from tasks.estimation.trace import Prepare

# The usual settings of methods that PEFT has; a method of Temper's own brings its defaults.
PEFT_OPTIONS: dict[str, dict[str, Any]] = {
    "dora": {"peft_type": "LORA", "r": 8, "use_dora": True, "target_modules": "all-linear"},
    "ia3": {"peft_type": "IA3"},
    "osf": {"peft_type": "OSF", "target_modules": "all-linear"},
    "prefix_tuning": {"peft_type": "PREFIX_TUNING", "num_virtual_tokens": 20},
    "prompt_tuning": {"peft_type": "PROMPT_TUNING", "num_virtual_tokens": 20},
}


def method_costs(config: "PretrainedConfig", shape: RunShape) -> dict[str, Cost]:
    """Return memory and storage of every method of the table that can be estimated."""
    registered = set(METHODS.names())
    costs = {}
    for method in TRAITS:
        prepare = _preparation(method, registered)
        if prepare is None:
            continue
        packed = packed_base(shape, type_in(config))
        held = {"dtype": chosen_type(shape, METHODS.get(method)(method=method), config)}
        one = shape.model_copy(update=packed if method == "qlora" else held)
        found = estimate_memory(config, prepare, one)
        costs[method] = Cost(
            memory=found.device, storage=found.disk, registered=method in registered
        )
    return costs


def _preparation(method: str, registered: set[str]) -> "Prepare | None":
    if method in {"lora", "qlora"}:  # QLoRA's base is packed by the shape, not by its adapter
        return Lora().prepare
    if method == "full":
        return Full().prepare
    if method in PEFT_OPTIONS:
        return peft_preparation(PEFT_OPTIONS[method])
    return METHODS.get(method)(method=method).prepare if method in registered else None
