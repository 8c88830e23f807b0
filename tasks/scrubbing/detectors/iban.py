"""International bank account numbers."""

import re
from collections.abc import Iterator
from typing import Literal

from tasks.scrubbing.checksums import mod_97
from tasks.scrubbing.detector import CHECKSUM, DETECTORS, Detector, Finding

# Country to length: SWIFT, IBAN Registry (ISO 13616), release 99.
_LENGTHS = {
    country: length
    for length, countries in {
        15: "NO",
        16: "BE",
        18: "DK FI FK FO GL NL SD",
        19: "MK SI",
        20: "AT BA EE KZ LT LU MN XK",
        21: "CH CR HR LI LV",
        22: "BG BH DE GB GE IE ME RS VA",
        23: "AE GI IL IQ OM SO TL",
        24: "AD CZ DZ ES MD PK RO SA SE SK TN VG",
        25: "LY PT ST",
        26: "IS TR",
        27: "BI DJ FR GR IT MC MR SM",
        28: "AL AZ BY CY DO GT HN HU LB NI PL SV",
        29: "BR EG PS QA UA",
        30: "JO KW MU YE",
        31: "MT SC",
        32: "LC",
        33: "RU",
    }.items()
    for country in countries.split()
}
_START = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?=[ -]?[A-Za-z0-9]{4})")
# one separator between groups: a space, a hyphen or a no-break space
_REST = re.compile(r"(?:[ \u00a0-]?[A-Za-z0-9]){11,36}")


@DETECTORS.register
class IbanDetector(Detector):
    """IBANs, in one piece or in groups, whose check digits are right."""

    detector: Literal["iban"] = "iban"

    def find(self, text: str) -> Iterator[Finding]:
        """Return numbers of the country's length that leave 1 modulo 97."""
        for start in _START.finditer(text):
            length = _LENGTHS.get(start.group()[:2].upper(), 0)
            rest = _REST.match(text, start.end())
            end = _end(text, start.start(), rest.end(), length) if rest and length else 0
            if end and mod_97(_rearranged(text[start.start() : end])):
                yield Finding("iban", start.start(), end, CHECKSUM)


def _end(text: str, start: int, limit: int, length: int) -> int:
    """Return where `length` letters and digits end, or 0 if a word goes on there."""
    seen = 0
    for position in range(start, limit):
        seen += text[position].isalnum()
        if seen == length:
            end = position + 1
            return 0 if text[end : end + 1].isalnum() else end
    return 0


def _rearranged(number: str) -> str:
    compact = "".join(character for character in number if character.isalnum())
    return compact[4:] + compact[:4]
