"""What documents state about themselves, in one form: titles, dates, licences."""

import html
import re
from datetime import date, datetime
from email.utils import parsedate_to_datetime

_SPACE = re.compile(r"\s+")
_INLINE_TAG = re.compile(r"</?(?:abbr|b|br|code|em|i|mark|small|span|strong|sub|sup|u)\b[^<>]*>")
# What programs write where a person stated no title.
_JUNK_TITLE = re.compile(
    r"untitled|\.(docx?|indd|pdf|xlsx?|pptx?|rtf)$|^microsoft|^(powerpoint|word) ", re.IGNORECASE
)
# ISO 8601, also as in PDF (D:20260131120000) and without hyphens.
_ISO = re.compile(r"^(?:D:)?(\d{4})([-/.]?)(\d{2})\2(\d{2})(?!\d{1,3}$)")
_WRITTEN = ("%d %B %Y", "%B %d, %Y", "%d %b %Y", "%b %d, %Y", "%d.%m.%Y")


def stated_text(value: object) -> str:
    """Return a title or licence as words: no entities, no tags, on one line; empty for None."""
    text = html.unescape(str(value)) if value is not None else ""
    return _SPACE.sub(" ", _INLINE_TAG.sub("", text)).strip()


def stated_title(value: object) -> str:
    """Return a title, or nothing if it is a program's or a file's name."""
    title = stated_text(value)
    return "" if _JUNK_TITLE.search(title) else title


def stated_date(value: object) -> str:
    """Return a date as YYYY-MM-DD; empty if it is none, or not one to the day."""
    if isinstance(value, date):  # a datetime is one, too
        return date(value.year, value.month, value.day).isoformat()
    text = str(value).strip() if value is not None else ""
    found = _ISO.match(text)
    try:
        if found:
            return date(int(found[1]), int(found[3]), int(found[4])).isoformat()
        return _written(text)
    except ValueError:
        return ""


def _written(text: str) -> str:
    """Return a date that is written out, or in the form of e-mail; else nothing."""
    for form in _WRITTEN:
        try:
            return datetime.strptime(text, form).date().isoformat()
        except ValueError:
            continue
    return parsedate_to_datetime(text).date().isoformat()
