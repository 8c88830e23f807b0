"""Configuration of exporting. Tolerances carry the reason for their size."""

from typing import Any, Self

from pydantic import Field, ValidationError, model_validator

from data_contracts.base import Config
from data_contracts.errors import ConfigError
from data_contracts.results import ExportForm

# In nats a token. An adapter is the same tensors: the same sums. A merged model adds in
# another order. llama.cpp keeps keys and values in 16 bits. The others follow from the spacing
# of their numbers: docs/exporting.md has what was measured.
TOLERANCES: dict[ExportForm, dict[str, float]] = {
    "adapter": {"f32": 0.0},
    "merged": {"f32": 1e-3, "bf16": 0.3, "f16": 0.05},
    "gguf": {"f32": 0.02, "bf16": 0.3, "f16": 0.05, "q8_0": 0.3},
}

_DEFAULTS: dict[ExportForm, str] = {"adapter": "f32", "merged": "f32", "gguf": "f16"}


class ExportConfig(Config):
    """What is exported, and by how many answers it is proven."""

    form: ExportForm = Field("merged", description="adapter, merged (safetensors) or gguf.")
    precision: str | None = Field(
        None,
        description="Numbers of the weights: f32, f16, bf16, and q8_0 for gguf. None: as trained; "
        "for gguf f16.",
    )
    prompts: int = Field(50, ge=1, description="At most so many prompts are answered by both.")
    max_new_tokens: int = Field(32, ge=1, description="Longest answer that is compared.")

    @model_validator(mode="after")
    def _form_has_precision(self) -> Self:
        if self.chosen_precision not in TOLERANCES[self.form]:
            known = ", ".join(TOLERANCES[self.form])
            raise ValueError(
                f"an export as {self.form} cannot be written in {self.precision!r}: {known} can"
            )
        return self

    @property
    def chosen_precision(self) -> str:
        """The precision in force."""
        return self.precision or _DEFAULTS[self.form]

    @property
    def tolerance(self) -> float:
        """Largest difference of log-probabilities, in nats, that parity allows."""
        return TOLERANCES[self.form][self.chosen_precision]


def export_config(**options: Any) -> ExportConfig:
    """Return the configuration that a command's options say.

    Raises:
        ConfigError: One of them is not valid.
    """
    try:
        return ExportConfig.model_validate(options)
    except ValidationError as error:
        first = error.errors()[0]
        place = first["loc"][0] if first["loc"] else "precision"
        raise ConfigError(f"{place}: {first['msg']}. Forms: adapter, merged, gguf.") from error
