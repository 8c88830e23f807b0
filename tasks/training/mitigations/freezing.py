"""Freezing: some layers do not train."""

import re
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field, field_validator

from data_contracts.errors import ConfigError
from tasks.training.mitigation import MITIGATIONS, Guard, Mitigation, Run, trained

if TYPE_CHECKING:
    from torch import nn

_LAYER = re.compile(r"\.(?:layers|h|blocks)\.(\d+)\.")


@MITIGATIONS.register
class Freezing(Mitigation):
    """The first layers stay as they are, whatever the method trains in the others.

    Saves memory and time besides: nothing is computed backwards below the first trained layer.
    """

    source: ClassVar[str] = "Howard and Ruder 2018, arXiv 1801.06146"
    strength_option: ClassVar[str] = "share"

    mitigation: Literal["freezing"] = "freezing"
    share: float = Field(
        0.5, ge=0, lt=1, description="Share of the layers, from the input on, that do not train."
    )
    pattern: str = Field(
        "",
        description="Regular expression: parameters in whose names it is found do not train "
        "either, such as `embed_tokens` or `mlp`.",
    )

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from error
        return pattern

    @property
    def active(self) -> bool:
        """Whether it freezes anything."""
        return self.share > 0 or bool(self.pattern)

    def prepare(self, model: "nn.Module") -> None:
        """Stop the training of parameters in the first layers, and of those named.

        Raises:
            ConfigError: The method trains nothing there, or nothing elsewhere.
        """
        frozen = self._frozen(model)
        if not frozen or len(frozen) == len(trained(model)):
            raise ConfigError(
                f"The mitigation freezing (share {self.share:g}, pattern {self.pattern!r}) stops "
                f"{len(frozen)} of the {len(trained(model))} tensors that the method trains: it "
                "must be some and not all. Change it, or take a method that trains in layers."
            )
        for name in frozen:
            model.get_parameter(name).requires_grad_(False)

    def _frozen(self, model: "nn.Module") -> list[str]:
        names = [name for name, _ in model.named_parameters()]
        layers = {int(m[1]) for name in names if (m := _LAYER.search(name))}
        first = round(self.share * len(layers))

        def in_first(name: str) -> bool:
            match = _LAYER.search(name)
            return match is not None and int(match[1]) < first

        def named(name: str) -> bool:
            return bool(self.pattern) and re.search(self.pattern, name) is not None

        return [name for name in trained(model) if in_first(name) or named(name)]

    def start(self, run: Run) -> Guard:
        """Return a guard that has nothing left to do."""
        return Guard()
