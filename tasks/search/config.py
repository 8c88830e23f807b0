"""Options of a search."""

from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from data_contracts.base import Config
from data_contracts.errors import ConfigError
from tasks.search.space import Dimension

Objective = Literal["loss", "retention"]


class SweepConfig(Config):
    """What is searched, for what, and how long."""

    space: dict[str, Dimension] = Field(
        description="Path of the configuration to its values: {type: int, float or log, low, "
        "high}, or a list of choices. An option that a trial's method lacks is left out of it."
    )
    trials: int = Field(20, ge=1, description="Trials in all, those of an earlier start included.")
    objectives: tuple[Objective, ...] = Field(
        ("loss",),
        min_length=1,
        description="What is made small. `loss`: validation loss, nats per token. `retention`: "
        "by how much the loss on general text rises, nats per token.",
    )
    folds: int = Field(
        0,
        ge=0,
        description="Groups form so many folds and a trial's loss is the mean over them, each "
        "trained apart; 0: the profile's own validation rows.",
    )
    seed: int = Field(17, ge=0, description="Of the draws; a resumed search draws as a whole one.")
    startup_trials: int = Field(
        8, ge=1, description="Trials drawn at random before the sampler learns from them."
    )
    prune: bool = Field(
        True,
        description="Stop a trial whose validation loss is worse than the median of earlier "
        "trials at that moment. With several objectives none is stopped: a poor loss may be the "
        "price of little forgetting.",
    )
    texts: int = Field(20, ge=1, description="Passages of general text behind `retention`.")

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if len(set(self.objectives)) < len(self.objectives):
            raise ValueError("an objective is named twice")
        if self.folds in (1, 2):
            raise ValueError(
                f"folds is {self.folds}: at least 3 are needed, one to score, one to stop by, and "
                "one to train on"
            )
        return self

    @property
    def pruned(self) -> bool:
        """Whether trials may be stopped."""
        return self.prune and self.objectives == ("loss",)


def read_space(file: Path, **options: Any) -> SweepConfig:
    """Read a search space in YAML; `options` are the other fields.

    Raises:
        ConfigError: The file cannot be read, or an entry is not valid.
    """
    try:
        values = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"The search space {file} cannot be read: {error}") from error
    if not isinstance(values, dict):
        raise ConfigError(
            f"The search space {file} must hold paths and values, such as "
            "`training.learning_rate: {type: log, low: 0.0001, high: 0.01}`."
        )
    try:
        return SweepConfig.model_validate({"space": values, **options})
    except ValidationError as error:
        lines = [f"  - {_where(p['loc'])}: {p['msg']}" for p in error.errors()]
        raise ConfigError(f"In the search space {file}:\n" + "\n".join(lines)) from error


def _where(location: tuple[int | str, ...]) -> str:
    return " ".join(str(part) for part in location if part != "space")
