"""Front matter: the settings that static-site generators keep above a page."""

import re

import yaml

# `---` in YAML; `---js` and the like carry the language (Eleventy).
_FRONT_MATTER = re.compile(r"\A\s*---([a-z]*)[ \t]*\n(.*?\n)?---[ \t]*(?:\n|\Z)", re.DOTALL)


def split_front_matter(text: str) -> tuple[str, str]:
    """Return the title that the front matter states, or an empty one, and the text below it."""
    found = _FRONT_MATTER.match(text)
    if found is None:
        return "", text
    body = text[found.end() :]
    try:
        settings = yaml.safe_load(found.group(2) or "") if not found.group(1) else {}
    except yaml.YAMLError:  # settings all the same, only badly written
        return "", body
    if isinstance(settings, str):  # prose between two rulers
        return "", text
    title = settings.get("title") if isinstance(settings, dict) else None
    return str(title).strip() if title else "", body
