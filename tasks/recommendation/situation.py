"""What decides between methods: asked of the user, nothing else is."""

from typing import Literal

from pydantic import Field

from data_contracts.base import Config


class Situation(Config):
    """A project's objective, budget and data."""

    objective: Literal["knowledge", "behaviour"] = Field(
        "behaviour", description="New facts, or a way of answering."
    )
    memory_gb: float = Field(
        24.0, gt=0, description="Free memory of the accelerator, in 1e9 bytes."
    )
    storage_mb: float = Field(
        100_000.0, gt=0, description="Room for each result on disk, in 1e6 bytes."
    )
    latency: Literal["base", "slower"] = Field(
        "base",
        description="Whether answers must come as fast as the base model's.",
    )
    tasks_at_once: int = Field(1, ge=1, description="Tuned tasks to be served on one base.")
    complexity: Literal["simple", "complex"] = Field(
        "simple", description="Format or style; or reasoning, code, a new domain."
    )
    examples: int = Field(1_000, ge=1, description="Training rows.")
    unknown_share: float = Field(
        0.0, ge=0, le=1, description="Share of rows whose fact the base model does not know."
    )
    keep_abilities: bool = Field(
        False, description="Whether the base's other abilities matter more than the last point."
    )
