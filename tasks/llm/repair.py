"""JSON out of a model's reply: read strictly first, mended with care second.

Mending may add quotes, commas and brackets, and nothing else: no letter or digit may come or
go, no field may be invented, and a reply that was cut off is not made to look complete.
"""

import json
from collections.abc import Iterator
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

Form = TypeVar("Form", bound=BaseModel)

# Where a JSON object may begin in a reply: further ones are not looked at.
MOST_STARTS = 20


class Unusable(Exception):
    """A reply that holds no JSON of the form; the message tells the model why."""


def read_json(text: str, form: type[Form], *, cut_off: bool) -> tuple[Form, bool]:
    """Return the JSON object in a reply, and whether it had to be mended.

    Args:
        text: The reply; words or a code fence may surround the object.
        form: What the object must be like; it may hold no further fields.
        cut_off: Whether the reply ended at the token limit.

    Raises:
        Unusable: There is no such object in it.
    """
    if "{" not in text:
        raise Unusable("it holds no JSON object")
    first: Unusable | None = None
    for value in _objects(text):
        try:
            return _fit(value, form)
        except Unusable as error:
            first = first or error
    if first is not None:
        raise first
    if cut_off:
        raise Unusable("its JSON is broken (it was cut off at the token limit)")
    return _fit(_mended(text), form)[0], True


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """Yield the whole JSON objects in a text, the outermost ones, in order."""
    decoder = json.JSONDecoder(strict=False, object_pairs_hook=_without_contradiction)
    start = text.find("{")
    for _ in range(MOST_STARTS):
        if start < 0:
            return
        try:
            value, end = decoder.raw_decode(text, start)
            yield value
        except json.JSONDecodeError:
            end = start + 1
        except RecursionError as error:
            raise Unusable("its JSON is nested too deeply") from error
        start = text.find("{", end)


def _without_contradiction(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object; a field given twice must say the same."""
    values: dict[str, Any] = {}
    for name, value in pairs:
        if name in values and values[name] != value:
            raise Unusable(f"its field {name!r} is given twice, with different values")
        values[name] = value
    return values


def _mended(text: str) -> dict[str, Any]:
    """Return the object in a text whose JSON is not quite right.

    Raises:
        Unusable: It is beyond repair, or repair would change what it says.
    """
    import json_repair

    end = text.rfind("}")
    broken = text[text.find("{") : end + 1]
    if not broken or text[end + 1 :].strip(" \t\r\n`"):
        raise Unusable("its JSON is broken (it does not end)")
    try:
        value = json_repair.loads(broken, skip_json_loads=True)
    except (ValueError, RecursionError) as error:
        raise Unusable("its JSON is broken") from error
    if not isinstance(value, dict) or _said(json.dumps(value, ensure_ascii=False)) != _said(broken):
        raise Unusable("its JSON is broken")
    return value


def _said(text: str) -> str:
    """Return the letters and digits of a text: what repair may not change."""
    return "".join(character for character in text if character.isalnum()).casefold()


def _fit(value: dict[str, Any], form: type[Form]) -> tuple[Form, bool]:
    """Return a value as an object of the form, and whether its fields had to be renamed."""
    try:
        return form.model_validate(value, extra="forbid"), False
    except ValidationError as error:
        changed = _coerced(value, form)
        if changed == value:
            raise _wrong_form(error) from error
    try:
        return form.model_validate(changed, extra="forbid"), True
    except ValidationError as error:
        raise _wrong_form(error) from error


def _coerced(value: dict[str, Any], form: type[BaseModel]) -> dict[str, Any]:
    """Return a value with field names spelled as asked, and whole numbers as text if asked."""
    names = {_said(name): name for name in form.model_fields}
    coerced: dict[str, Any] = {}
    for given, content in value.items():
        name = names.get(_said(given), given)
        if name in coerced:
            return value
        wants_text = name in form.model_fields and form.model_fields[name].annotation is str
        is_count = isinstance(content, int) and not isinstance(content, bool)
        coerced[name] = str(content) if wants_text and is_count else content
    return coerced


def _wrong_form(error: ValidationError) -> Unusable:
    problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
    return Unusable(f"its JSON has the wrong form ({problems})")
