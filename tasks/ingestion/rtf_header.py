"""What stands in an RTF file's tables before its text: encodings, styles, title, date.

Section names are those of "Rich Text Format (RTF) Specification, version 1.9.1" (Microsoft,
2008).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from tasks.ingestion.stated import stated_date, stated_title

_CODE_PAGE = re.compile(rb"\\ansicpg(\d{1,5})")
_FONT = re.compile(rb"\\f(\d{1,5})[^;{}]{0,80}\\fcharset(\d{1,3})")
_STYLE = re.compile(rb"\\s(\d{1,5})\\[^;{}]{0,500}? ([^;{}\\]{1,80});")
_TITLE = re.compile(rb"\{\\title ((?:[^{}]|\{\}){0,500})\}")
_DATE = re.compile(rb"\{\\(?:revtim|creatim)\\yr(\d{4})\\mo(\d{1,2})\\dy(\d{1,2})")
_ESCAPE = re.compile(rb"\\'([0-9a-fA-F]{2})|\\u(-?\d{1,6})(?: ?\?|\\'[0-9a-fA-F]{2}| )?(?:\{\})?")
_HEADING = re.compile(r"(?:heading|überschrift|titre|título|titolo|kop) ?([1-6])", re.IGNORECASE)
# Where the tables end at the latest; Word's can be long.
_HEAD_BYTES = 500_000

# \fcharset to encoding (section "Font Table").
_CHARSETS = {
    0: "cp1252", 77: "mac_roman", 128: "cp932", 129: "cp949", 134: "gbk", 136: "big5",
    161: "cp1253", 162: "cp1254", 163: "cp1258", 177: "cp1255", 178: "cp1256", 186: "cp1257",
    204: "cp1251", 222: "cp874", 238: "cp1250",
}  # fmt: skip


@dataclass(frozen=True)
class RtfHeader:
    """What an RTF file states before its text.

    Attributes:
        encoding: Of bytes in fonts without a character set of their own.
        fonts: Encodings by font number.
        headings: Levels by style number, of those styles that are headings.
        title: Empty if there is none.
        date: Of the last change, YYYY-MM-DD; empty if there is none.
    """

    encoding: str = "cp1252"
    fonts: Mapping[int, str] = field(default_factory=dict)
    headings: Mapping[int, int] = field(default_factory=dict)
    title: str = ""
    date: str = ""


def read_header(content: bytes) -> RtfHeader:
    """Return what the tables of an RTF file state."""
    head = content[:_HEAD_BYTES]
    page = _CODE_PAGE.search(head)
    encoding = known_encoding(f"cp{int(page.group(1))}" if page else "cp1252")
    dates = (stated_date(f"{int(y):04}-{int(m):02}-{int(d):02}") for y, m, d in _DATE.findall(head))
    title = _TITLE.search(head)
    return RtfHeader(
        encoding=encoding,
        fonts={int(n): _CHARSETS.get(int(c), encoding) for n, c in _FONT.findall(head)},
        headings=_headings(head, encoding),
        title=stated_title(_plain(title.group(1), encoding)) if title else "",
        date=max(dates, default=""),
    )


def known_encoding(name: str) -> str:
    """Return an encoding if Python has it, else Western European."""
    try:
        b"a".decode(name)
    except LookupError:
        return "cp65001" if name == "cp65001" else "cp1252"
    return name


def code_units(text: str) -> str:
    """Return text in which pairs of UTF-16 code units are the characters they stand for."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _headings(head: bytes, encoding: str) -> dict[int, int]:
    levels: dict[int, int] = {}
    for number, name in _STYLE.findall(head):
        words = _plain(name, encoding).strip().lower()
        found = _HEADING.match(words)
        if found:
            levels[int(number)] = int(found.group(1))
        elif words in ("title", "titel", "titre"):
            levels[int(number)] = 1
    return levels


def _plain(source: bytes, encoding: str) -> str:
    """Return a text with its escapes resolved."""

    def character(found: re.Match[bytes]) -> bytes:
        if found.group(1):
            return bytes([int(found.group(1), 16)])
        unit = chr(int(found.group(2)) & 0xFFFF)
        return b"\0" + unit.encode("utf-16-be", "surrogatepass").hex().encode()

    words = _ESCAPE.sub(character, source).decode(encoding, "replace")
    units = re.sub("\0([0-9a-f]{4})", lambda unit: chr(int(unit.group(1), 16)), words)
    return code_units(units)
