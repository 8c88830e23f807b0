"""How the report writes text and figures. Everything here is a Jinja2 filter or `finalize`."""

import math
import re
from datetime import UTC, datetime
from typing import Any

from markupsafe import Markup

from data_contracts.results import Interval

MINUS = "\N{MINUS SIGN}"
NOT_FINITE = "not finite"

# Characters no HTML parser or UTF-8 encoder takes, or that reorder the text around them:
# C0 and C1 controls but tab and newline, bidirectional controls, surrogates, noncharacters.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
    "\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
)
_NEWLINES = re.compile("\r\n?")


# Measures that are shares of one; shown in percent, their changes in points.
_SHARES = frozenset(
    {
        "abstained",
        "accuracy",
        "answered",
        "calibration_error",
        "copied",
        "exact_match",
        "form",
        "invented",
        "preferred",
        "repeated_runs",
        "right",
        "rouge_l",
        "stop_rate",
        "token_f1",
    }
)
_MEASURES = {
    "cross_entropy": "Cross-entropy",
    "token_f1": "Token F1",
    "exact_match": "Exact match",
    "rouge_l": "ROUGE-L",
    "right": "Holds the reference's words and numbers",
    "form": "Keeps the form asked for",
    "length_off": "Length, doublings off",
    "repeated_runs": "Runs of four words said again",
    "stop_rate": "Ended by itself",
    "accuracy": "Accuracy",
    "answered": "Answered although there is no answer",
    "abstained": "Gave no answer although there is one",
    "invented": "Claimed something wrong",
    "preferred": "Preferred by the judge (ties count half)",
    "calibration_error": "Calibration error",
    "brier": "Brier score",
}


def finalize(value: Any) -> Any:
    """Make any text printable; Jinja2 applies this to every expression before it escapes."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return _UNSAFE.sub("\N{REPLACEMENT CHARACTER}", _NEWLINES.sub("\n", value))


def clip(text: str, limit: int = 1200) -> str:
    """Return the text, or its beginning and how much is left out."""
    if len(text) <= limit:
        return text
    left_out = number(len(text) - limit)
    return f"{text[:limit].rstrip()} … [{left_out} more characters not shown]"


def plain_name(name: str) -> str:
    """Turn an identifier into words: `near_duplicate` to `near duplicate`."""
    return name.replace("_", " ").strip() or "(no name)"


def title_case(text: str) -> str:
    """Raise the first letter and leave the rest: names may hold abbreviations."""
    return text[:1].upper() + text[1:]


def measure_name(measure: str) -> str:
    """Return what a reader calls the measure."""
    return _MEASURES.get(measure, title_case(plain_name(measure)))


def number(value: float, digits: int = 0) -> str:
    """Write a number with thousands separators, a true minus sign and fixed decimals."""
    if not math.isfinite(value):
        return NOT_FINITE
    text = f"{value:,.{digits}f}"
    negative = text.startswith("-") and any(c in "123456789" for c in text)
    return (MINUS if negative else "") + text.lstrip("-")


def signed(value: float, digits: int = 0) -> str:
    """Write a change: like `number`, with a plus sign where it is positive."""
    text = number(value, digits)
    positive = math.isfinite(value) and any(c in "123456789" for c in text) and value > 0
    return f"+{text}" if positive else text


def figure(value: float) -> str:
    """Write a number of unknown kind: whole numbers as such, others to four digits."""
    if not math.isfinite(value):
        return NOT_FINITE
    if value == int(value) and abs(value) < 1e15:
        return number(value)
    if abs(value) < 1e-3 or abs(value) >= 1e6:
        mantissa, exponent = f"{value:.2e}".split("e")
        return f"{mantissa}e{int(exponent)}".replace("-", MINUS)
    text = number(value, max(0, 3 - math.floor(math.log10(abs(value)))))
    return text.rstrip("0").rstrip(".") if "." in text else text


def is_share(measure: str) -> bool:
    """Return whether the measure is a share of one, shown in percent."""
    return measure in _SHARES


def level(value: float, measure: str) -> str:
    """Write the level of a measure in its unit."""
    return percent(value) if is_share(measure) else number(value, 3)


def change(value: float, measure: str) -> str:
    """Write the change of a measure: in percentage points for shares."""
    return signed(100 * value, 1) if is_share(measure) else signed(value, 3)


def interval(value: Interval, measure: str) -> str:
    """Write the limits of an interval."""
    if not (math.isfinite(value.low) and math.isfinite(value.high)):
        return NOT_FINITE
    return f"{change(value.low, measure)} to {change(value.high, measure)}"


def percent(share: float, digits: int = 1) -> str:
    """Write a share of one in percent."""
    return NOT_FINITE if not math.isfinite(share) else f"{number(100 * share, digits)} %"


def duration(seconds: float) -> str:
    """Write a time span in the two units that matter."""
    if not math.isfinite(seconds):
        return NOT_FINITE
    if seconds < 10:
        return f"{number(seconds, 1)} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{number(whole // 3600)} h {whole % 3600 // 60:02d} min"


def memory(size: int) -> str:
    """Write a size in binary units."""
    if size >= 2**30:
        return f"{number(size / 2**30, 1)} GiB"
    return f"{number(size / 2**20, 1)} MiB"


def date(moment: datetime) -> str:
    """Write a moment in UTC, the same on every machine."""
    utc = moment.astimezone(UTC)
    return f"{utc.day} {_MONTHS[utc.month - 1]} {utc.year}, {utc:%H:%M} UTC"


_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
