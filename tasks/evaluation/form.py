"""Whether an answer keeps the form that its reference has.

The form is read off the reference, and off the kind only where the reference alone would not
tell. A reference of plain sentences demands no form.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Literal

from tasks.evaluation.metrics import all_words
from tasks.text.words import word_set

Form = Literal["json", "table", "bullets", "steps", "yes_no", "choice", "value"]

_BULLET, _STEP = re.compile(r"\s*[-*+•]\s+\S"), re.compile(r"\s*\d+[.)]\s+\S")
_ROW = re.compile(r"\s*\|.*\|\s*$")
_CHOICE = re.compile(r"\(?([A-Z])(?:[).:]|\s*$)")

# Yes and no in English, German, French, Spanish, Italian, Dutch, Portuguese and Polish.
_YES_NO = word_set("yes no ja nein oui non si sí sì nee sim não tak nie")

# A reference of no more words is a value, such as a table's cell; a phrase twice as long that
# holds it still is one.
_VALUE_WORDS = 5
_FEWEST_LINES = 2


def form_of(reference: str, kind: str) -> Form | None:
    """Return the form that an answer to this reference must have; None where it is free."""
    if kind == "yes_no" or _is_yes_no(reference):
        return "yes_no"
    if kind == "multiple_choice" and _CHOICE.match(reference):
        return "choice"
    if _json(reference) is not None:
        return "json"
    for form, mark in _LINES.items():
        if _marked(reference, mark):
            return form
    short = len(all_words(reference)) <= _VALUE_WORDS and not reference.rstrip().endswith(".")
    return "value" if short else None


def keeps_form(answer: str, reference: str, kind: str) -> bool | None:
    """Return whether an answer has the reference's form; None where none is demanded."""
    form = form_of(reference, kind)
    return None if form is None else _CHECKS[form](answer, reference)


def _same_json(answer: str, reference: str) -> bool:
    got, wanted = _json(answer), _json(reference)
    if isinstance(got, dict) and isinstance(wanted, dict):
        return wanted.keys() <= got.keys()
    return isinstance(got, list) and isinstance(wanted, list)


def _json(text: str) -> dict[str, Any] | list[Any] | None:
    """Return the object or array that a text is, a code fence around it or not."""
    bare = re.sub(r"^```\w*\n|\n```$", "", text.strip())
    try:
        value = json.loads(bare)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict | list) else None


def _marked(text: str, mark: re.Pattern[str]) -> bool:
    """Whether all lines, but perhaps one that leads in, carry the mark."""
    lines = [line for line in text.splitlines() if line.strip()]
    if lines and not mark.match(lines[0]):
        lines = lines[1:]
    return len(lines) >= _FEWEST_LINES and all(mark.match(line) for line in lines)


def _is_yes_no(text: str) -> bool:
    return all_words(text)[:1] != [] and all_words(text)[0] in _YES_NO


def _is_value(answer: str, _reference: str) -> bool:
    return 0 < len(all_words(answer)) <= 2 * _VALUE_WORDS and "\n" not in answer.strip()


_LINES: Mapping[Form, re.Pattern[str]] = {"table": _ROW, "bullets": _BULLET, "steps": _STEP}

_CHECKS: Mapping[Form, Callable[[str, str], bool]] = {
    "json": _same_json,
    "table": lambda answer, _: _marked(answer, _ROW),
    "bullets": lambda answer, _: _marked(answer, _BULLET),
    "steps": lambda answer, _: _marked(answer, _STEP),
    "yes_no": lambda answer, _: _is_yes_no(answer),
    "choice": lambda answer, _: _CHOICE.match(answer) is not None,
    "value": _is_value,
}
