"""What is wrong with a configuration, in sentences."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from data_contracts.errors import ConfigError, UnknownName


def explain(error: ValidationError, where: str, model: type[BaseModel]) -> ConfigError:
    """Turn pydantic's errors into sentences; an unknown key names the nearest known one.

    Args:
        error: Pydantic's.
        where: What was read, e.g. a profile and its path.
        model: What it should have been.
    """
    lines = [_explain_one(dict(problem), model) for problem in error.errors()]
    return ConfigError(f"In {where}:\n" + "\n".join(f"  - {line}" for line in lines))


def _explain_one(problem: Mapping[str, Any], model: type[BaseModel]) -> str:
    location = [str(part) for part in problem["loc"]]
    key = ".".join(location)
    if problem["type"] == "extra_forbidden":
        known = _keys_at(model, location[:-1])
        return f"{key}: {UnknownName('key', location[-1], known)}"
    if problem["type"] == "union_tag_invalid":
        context = problem["ctx"]
        known = [tag.strip(" '") for tag in str(context["expected_tags"]).split(",")]
        return f"{key}: {UnknownName('name', str(context['tag']), known)}"
    if problem["type"] == "missing":
        return f"{key} is missing. {_description_at(model, location)}".strip()
    return f"{key}: {problem['msg']} (got {problem['input']!r})"


def _keys_at(model: Any, location: Sequence[str]) -> list[str]:
    """Return the keys that a section has, following nested models and tagged unions."""
    for part in location:
        if isinstance(model, type) and issubclass(model, BaseModel) and part in model.model_fields:
            model = model.model_fields[part].annotation
        elif not part.isdigit():  # a tag: step from the union to the member of that name
            model = _member(model, part)
        else:
            model = _item_type(model)
    if isinstance(model, type) and issubclass(model, BaseModel):
        return list(model.model_fields)
    return []


def _members(annotation: Any) -> list[Any]:
    """Return the classes inside a (nested) union, tuple or Annotated."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    inner = getattr(annotation, "__args__", ())
    return [member for part in inner for member in _members(part)]


def _item_type(annotation: Any) -> Any:
    inner = getattr(annotation, "__args__", ())
    return inner[0] if inner else annotation


def _member(annotation: Any, tag: str) -> Any:
    for member in _members(annotation):
        if any(field.default == tag for field in member.model_fields.values()):
            return member
    return annotation


def _description_at(model: type[BaseModel], location: Sequence[str]) -> str:
    field = model.model_fields.get(location[0])
    return f"({field.description})" if field and len(location) == 1 else ""
