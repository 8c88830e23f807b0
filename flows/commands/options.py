"""Options that a verb is given as `name=value`, or in a JSON file."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from data_contracts.base import Config

M = TypeVar("M", bound="Config")


def checked(model: type[M], values: dict[str, Any], where: str) -> M:
    """Return the options that a verb was given as `name=value`.

    Raises:
        ConfigError: An option is unknown or its value not valid.
    """
    from pydantic import ValidationError

    from data_contracts.errors import ConfigError

    try:
        return model(**values)
    except ValidationError as error:
        known = ", ".join(name for name in model.model_fields if name != "method")
        lines = [f"{'.'.join(map(str, p['loc']))}: {p['msg']}" for p in error.errors()]
        raise ConfigError(f"In {where}: {'; '.join(lines)}. Known: {known}.") from error


def named_values(settings: list[str]) -> dict[str, Any]:
    """Return `name=value` settings, values read as YAML."""
    import yaml

    from data_contracts.errors import ConfigError

    values = {}
    for setting in settings:
        name, separator, text = setting.partition("=")
        if not separator:
            raise ConfigError(f"{setting!r} is not of the form name=value.")
        values[name.strip()] = yaml.safe_load(text)
    return values


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        ConfigError: The file cannot be read, or holds something else.
    """
    from data_contracts.errors import ConfigError

    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read: {error}. Expected a JSON file.") from error
    if not isinstance(values, dict):
        raise ConfigError(f"{path} must hold a JSON object.")
    return values
