"""What a search may vary: paths of the configuration, each with its values."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from data_contracts.base import Config, canonical_json
from data_contracts.errors import ConfigError, UnknownName
from tasks.training.method import METHODS

if TYPE_CHECKING:
    from optuna import Trial

METHOD = "training.method.method"
_OPTION = "training.method."

# Other sections change the validation rows, or what is measured on them: losses of two trials
# could not be compared.
SECTIONS = ("training", "augmentation")


class _Range(Config):
    """Numbers between two bounds, both included."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        low, high = getattr(self, "low"), getattr(self, "high")  # noqa: B009 - of the subclass
        if not low < high:
            raise ValueError(f"low ({low}) must be below high ({high})")
        return self


class Whole(_Range):
    """Whole numbers; `log` draws small ones as often as large ones."""

    type: Literal["int"] = "int"
    low: int = Field(description="Smallest value.")
    high: int = Field(description="Largest value.")
    log: bool = Field(False, description="Draw on a logarithmic scale; low must be 1 or more.")

    @model_validator(mode="after")
    def _positive(self) -> Self:
        if self.log and self.low < 1:
            raise ValueError(f"low is {self.low}; on a logarithmic scale it must be 1 or more")
        return self


class Uniform(_Range):
    """Real numbers, all equally likely."""

    type: Literal["float"] = "float"
    low: float = Field(description="Smallest value.")
    high: float = Field(description="Largest value.")


class Logarithmic(_Range):
    """Real numbers, all orders of magnitude equally likely."""

    type: Literal["log"] = "log"
    low: float = Field(gt=0, description="Smallest value.")
    high: float = Field(description="Largest value.")


class Categorical(Config):
    """One of some values, which may be lists or sections as well."""

    type: Literal["categorical"] = "categorical"
    choices: tuple[Any, ...] = Field(min_length=1, description="The values.")


def _listed(value: Any) -> Any:
    """Read a bare list as choices."""
    return {"type": "categorical", "choices": value} if isinstance(value, list | tuple) else value


Dimension = Annotated[
    Annotated[Whole | Uniform | Logarithmic | Categorical, Field(discriminator="type")],
    BeforeValidator(_listed),
]
Space = Mapping[str, Dimension]


def draw(trial: "Trial", space: Space, method: str) -> dict[str, Any]:
    """Return a value for each path that has a meaning with the trial's training method.

    Args:
        trial: Optuna's, which is asked.
        space: What may vary.
        method: The profile's own, in force where the space does not vary it.
    """
    values: dict[str, Any] = {}
    if METHOD in space:
        method = values[METHOD] = _suggest(trial, METHOD, space[METHOD])
    for path, dimension in space.items():
        if path != METHOD and applies(path, method):
            values[path] = _suggest(trial, path, dimension)
    return with_method(values, method)


def with_method(values: Mapping[str, Any], method: str) -> dict[str, Any]:
    """Return the values, the method first where one of its options is among them."""
    if any(path.startswith(_OPTION) for path in values):
        return {METHOD: method, **values}
    return dict(values)


def applies(path: str, method: str) -> bool:
    """Return whether a path has a meaning with a training method."""
    if not path.startswith(_OPTION):
        return True
    return path.split(".")[2] in METHODS.get(method).model_fields


def check_space(
    space: Space, method: str, configure: Callable[[Mapping[str, Any]], object]
) -> None:
    """Prove each path and the ends of its range before anything is trained.

    Args:
        space: What may vary.
        method: The profile's own training method.
        configure: Gives the configuration with such values at such paths, or ConfigError.

    Raises:
        ConfigError: A path is unknown, a value not valid there, or trials could not be compared.
    """
    if not space:
        raise ConfigError("The search space names no path, e.g. `training.learning_rate`.")
    methods = _methods(space, method)
    for path, dimension in space.items():
        fitting = [name for name in methods if applies(path, name)]
        if not fitting:
            known = {option for name in methods for option in METHODS.get(name).model_fields}
            raise UnknownName(f"option of {', '.join(methods)}", path.split(".")[2], known)
        for value in _ends(dimension):
            configure(with_method({path: value}, fitting[0]))
        if path.split(".")[0] not in SECTIONS:
            raise ConfigError(
                f"{path} cannot be searched: it changes the validation rows or how they are "
                "scored, so that losses of two trials could not be compared. Searchable are "
                f"paths below {' and '.join(SECTIONS)}. Compare such choices with `temper run`."
            )


def _methods(space: Space, method: str) -> list[str]:
    dimension = space.get(METHOD)
    if dimension is None:
        return [method]
    if not isinstance(dimension, Categorical):
        raise ConfigError(f"{METHOD} needs a list of names, e.g. [lora, dora].")
    for name in dimension.choices:
        METHODS.get(name)
    return list(dimension.choices)


def _ends(dimension: Dimension) -> tuple[Any, ...]:
    if isinstance(dimension, Categorical):
        return dimension.choices
    return (dimension.low, dimension.high)


def _suggest(trial: "Trial", path: str, dimension: Dimension) -> Any:
    if isinstance(dimension, Whole):
        return trial.suggest_int(path, dimension.low, dimension.high, log=dimension.log)
    if isinstance(dimension, Categorical):
        # Optuna's database takes scalars only: a list is known to it by its JSON
        choices = {canonical_json(choice): choice for choice in dimension.choices}
        return choices[str(trial.suggest_categorical(path, list(choices)))]
    log = isinstance(dimension, Logarithmic)
    return trial.suggest_float(path, dimension.low, dimension.high, log=log)
