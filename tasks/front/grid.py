"""The points of a front: every combination of what is to be compared."""

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

from data_contracts.base import canonical_json
from data_contracts.errors import ConfigError
from tasks.front.config import FrontConfig
from tasks.search.space import METHOD, SECTIONS, applies, with_method
from tasks.training.mitigation import MITIGATIONS

MITIGATION = "training.mitigations"
RATE = "training.learning_rate"

Values = dict[str, Any]


def grid_points(config: FrontConfig, method: str) -> list[Values]:
    """Return what each point sets, plain training first; equal points once.

    Args:
        config: What is compared.
        method: The profile's own training method.

    Raises:
        ConfigError: A path changes the rows that points are compared on, or nothing varies.
        UnknownName: A mitigation is unknown.
    """
    combined = [
        _values(name, mitigation, rate, dict(zip(config.axes, choice, strict=True)))
        for name in config.methods or (method,)
        for mitigation in _mitigations(config)
        for rate in config.learning_rates or (None,)
        for choice in product(*config.axes.values())
    ]
    single = [with_method(values, values.get(METHOD, method)) for values in config.points]
    varied = config.methods or config.mitigations or config.learning_rates or config.axes
    points = [_read(values) for values in [*(combined if varied else []), *single]]
    _check_paths(points)
    return list({canonical_json(values): values for values in points}.values())


def point_name(values: Mapping[str, Any]) -> str:
    """Return what sets a point apart, in few words: `lora, sam 0.05, 5e-05`."""
    return ", ".join(_words(values)) or "the profile's own"


def _words(values: Mapping[str, Any]) -> Iterator[str]:
    for path, value in values.items():
        if path == MITIGATION:
            for told in value:
                name = told["mitigation"]
                option = MITIGATIONS.get(name).strength_option
                yield f"{name} {told[option]:g}" if option in told else name
        elif path == METHOD:
            yield str(value)
        elif path == RATE:
            yield f"rate {value:g}"
        else:
            yield f"{path.rpartition('.')[2]} {value}"


def _values(method: str, mitigation: Values | None, rate: float | None, axes: Values) -> Values:
    values: Values = {METHOD: method}
    if mitigation is not None:
        values[MITIGATION] = [mitigation]
    if rate is not None:
        values[RATE] = rate
    return values | {path: value for path, value in axes.items() if applies(path, method)}


def _read(values: Values) -> Values:
    """Return values with numbers for what YAML 1.1 takes for text, such as `1e-5`."""
    return {path: _number(value) for path, value in values.items()}


def _number(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return float(value)
    except ValueError:
        return value


def _mitigations(config: FrontConfig) -> list[Values | None]:
    found: list[Values | None] = [None]
    for name, strengths in config.mitigations.items():
        option = MITIGATIONS.get(name).strength_option
        found += [{"mitigation": name, option: strength} for strength in strengths]
    return found


def _check_paths(points: list[Values]) -> None:
    if not points:
        raise ConfigError(
            "The profile names nothing to compare: set front.methods, front.mitigations, "
            "front.learning_rates, front.axes or front.points."
        )
    for path in {path for values in points for path in values}:
        if path.split(".")[0] not in SECTIONS:
            raise ConfigError(
                f"{path} cannot be an axis of the front: it changes the validation rows or how "
                f"they are scored. Axes are paths below {' and '.join(SECTIONS)}."
            )
