"""Writes JSON values as text that a person can read: labels, lists, headings, tables."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from tasks.ingestion.tables import markdown_table

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SEPARATORS = re.compile(r"[_\-\s]+")
# What names a record among its like, first choice first.
_NAMES = ("title", "name", "label", "question", "id", "key")
# Longer texts are paragraphs of their own.
_LABELLED_CHARACTERS = 200
_MOST_COLUMNS = 12
_DEEPEST_HEADING = 6


def readable(value: Any, level: int = 1) -> str:
    """Return a JSON value as Markdown.

    Args:
        value: What `json.loads` gives.
        level: Of the headings at the top.

    Raises:
        RecursionError: It is nested too deeply.
    """
    if isinstance(value, Mapping):
        return _record(value, level)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return _array(value, "", level)
    return _scalar(value)


def label(key: str) -> str:
    """Return a key as words: `maxFileBytes` and `max_file_bytes` as `Max file bytes`."""
    words = _SEPARATORS.sub(" ", _CAMEL.sub(" ", key)).strip()
    is_split = words != key.strip()
    plain = " ".join(w if w.isupper() else w.lower() for w in words.split()) if is_split else words
    return plain[:1].upper() + plain[1:]


def _record(record: Mapping[str, Any], level: int) -> str:
    """Return an object: its plain values first, what is nested below headings of its own."""
    plain = [f"- {label(key)}: {_scalar(v)}" for key, v in record.items() if _is_short(v)]
    parts = ["\n".join(plain)]
    for key, value in record.items():
        if not _is_short(value):
            is_array = isinstance(value, list)
            body = _array(value, key, level + 1) if is_array else readable(value, level + 1)
            parts.append(_below(label(key), body, level))
    return _blocks(parts)


def _array(values: Sequence[Any], name: str, level: int) -> str:
    """Return an array: a table of flat objects, a list of plain values, else records."""
    if all(isinstance(value, Mapping) for value in values):
        columns = list(dict.fromkeys(key for value in values for key in value))
        flat = all(_is_short(v) or v is None for value in values for v in value.values())
        if flat and len(values) > 1 and len(columns) <= _MOST_COLUMNS:
            return _table(values, columns)
    if all(_is_scalar(value) for value in values):
        return "\n".join(f"- {_scalar(value)}" for value in values if value is not None)
    return _blocks(
        [
            _below(_name(value, name, n), readable(value, level + 1), level)
            for n, value in enumerate(values, start=1)
        ]
    )


def _table(records: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
    rows = [[_scalar(record.get(column)) for column in columns] for record in records]
    return markdown_table([[label(column) for column in columns], *rows])


def _name(value: Any, name: str, number: int) -> str:
    """Return what a record is called: what it says itself, else its number."""
    if isinstance(value, Mapping):
        lower = {str(key).lower(): v for key, v in value.items()}
        for key in _NAMES:
            if _is_short(lower.get(key)):
                return _scalar(lower[key])
    return f"{label(name) or 'Record'} {number}"


def _below(heading: str, body: str, level: int) -> str:
    if not body:
        return ""
    if level > _DEEPEST_HEADING:
        return f"{heading}:\n\n{body}"
    return f"{'#' * level} {heading}\n\n{body}"


def _blocks(parts: Sequence[str]) -> str:
    return "\n\n".join(part for part in parts if part)


def _is_scalar(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float)


def _is_short(value: Any) -> bool:
    """Whether a value fits behind its label: a number, a line, a few words."""
    if isinstance(value, list):
        words = [_scalar(v) for v in value] if all(map(_is_scalar, value)) else []
        return bool(words) and sum(map(len, words)) <= _LABELLED_CHARACTERS / 2
    if isinstance(value, str):
        return 0 < len(value.strip()) <= _LABELLED_CHARACTERS and "\n" not in value.strip()
    return isinstance(value, int | float)


def _scalar(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(filter(None, map(_scalar, value)))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.15g}"
    return "" if value is None else str(value).strip()
