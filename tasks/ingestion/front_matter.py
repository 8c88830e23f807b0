"""Front matter: the settings that static-site generators keep above a page."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from tasks.ingestion.stated import stated_date, stated_text

# `---` in YAML; `---js` and the like carry the language (Eleventy).
_FRONT_MATTER = re.compile(r"\A\s*---([a-z]*)[ \t]*\n(.*?\n)?---[ \t]*(?:\n|\Z)", re.DOTALL)
# The date that says how current a page is comes first.
_DATE_KEYS = (
    "last_modified_at", "lastmod", "last_updated", "updated", "modified", "reviewed", "date",
    "published",
)  # fmt: skip
_LICENCE_KEYS = ("license", "licence", "rights")


@dataclass(frozen=True)
class FrontMatter:
    """What a page states about itself; each empty if it does not.

    Attributes:
        title: Its title.
        date: YYYY-MM-DD.
        licence: Its licence.
    """

    title: str = ""
    date: str = ""
    licence: str = ""


def split_front_matter(text: str) -> tuple[FrontMatter, str]:
    """Return what the front matter states, and the text below it."""
    found = _FRONT_MATTER.match(text)
    if found is None:
        return FrontMatter(), text
    body = text[found.end() :]
    try:
        settings = yaml.safe_load(found.group(2) or "") if not found.group(1) else {}
    # settings all the same, only badly written; ValueError: a date such as 2026-02-31
    except (yaml.YAMLError, ValueError, RecursionError):
        return FrontMatter(), body
    if isinstance(settings, str):  # prose between two rulers
        return FrontMatter(), text
    return (_stated(settings) if isinstance(settings, dict) else FrontMatter()), body


def _stated(settings: Mapping[Any, Any]) -> FrontMatter:
    lower = {str(key).lower().replace("-", "_"): value for key, value in settings.items()}
    dates = [stated_date(lower[key]) for key in _DATE_KEYS if key in lower]
    licences = [stated_text(lower[key]) for key in _LICENCE_KEYS if _is_text(lower.get(key))]
    return FrontMatter(
        title=stated_text(lower.get("title")) if _is_text(lower.get("title")) else "",
        date=next(filter(None, dates), ""),
        licence=next(filter(None, licences), ""),
    )


def _is_text(value: object) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)
