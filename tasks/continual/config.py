"""Options of continual use."""

from typing import Any, Self

from pydantic import Field, model_validator

from data_contracts.base import Config


def _plain() -> dict[str, dict[str, Any]]:
    return {"plain": {}}


class ContinualConfig(Config):
    """Which document sets come one after the other, and which ways to go are compared."""

    sets: dict[str, str | tuple[str, ...]] = Field(
        default_factory=dict,
        description="Name of a set to its documents (as in `documents`), in order; two or more.",
    )
    ways: dict[str, dict[str, Any]] = Field(
        default_factory=_plain,
        min_length=1,
        description="Name to what it changes: path to value, below training or augmentation, "
        "e.g. {plain: {}, sam: {training.mitigations: [{mitigation: sam}]}, "
        "replay: {augmentation.replay.share: 0.2}}; or continual.replay_earlier.",
    )
    replay_earlier: bool = Field(
        False,
        description="Replay draws from the training rows of the sets before, not from `general`; "
        "the first step has none. Its share is augmentation.replay.share.",
    )

    @model_validator(mode="after")
    def _a_sequence(self) -> Self:
        if len(self.sets) == 1:
            raise ValueError("sets names one set of documents: a sequence needs two or more")
        return self
