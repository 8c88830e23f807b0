"""Options of a front."""

from typing import Any

from pydantic import Field

from data_contracts.base import Config


class FrontConfig(Config):
    """Which ways to train are compared: every combination, and single points beside them."""

    methods: tuple[str, ...] = Field((), description="Training methods. Empty: the profile's own.")
    learning_rates: tuple[float, ...] = Field(
        (), description="Peak learning rates. Empty: the profile's, or the method's own."
    )
    mitigations: dict[str, tuple[float, ...]] = Field(
        default_factory=dict,
        description="Name of a mitigation to its strengths, e.g. {sam: [0.05], ewc: [10, 100]}. "
        "Plain training is always among the points.",
    )
    axes: dict[str, tuple[Any, ...]] = Field(
        default_factory=dict,
        description="Any other path below training or augmentation to its values, e.g. "
        "{training.neftune_alpha: [0, 5]}. A method that lacks an option is left out of its axis.",
    )
    points: tuple[dict[str, Any], ...] = Field(
        (), description="Single points beside the combinations: path to value."
    )
