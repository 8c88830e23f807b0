"""Telephone numbers."""

import re
from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from tasks.scrubbing.detector import CONTEXT, DETECTORS, FORM, Detector, Finding

# Cheap: something with at least seven digits and nothing in it that a number is not written with.
_CANDIDATE = re.compile(r"(?<![\w.,@=/-])[+(]?\d(?:[ \u00a0()./-]{0,3}\d){6,16}(?![\d@]|[.,]\d)")
_WORD = re.compile(
    r"phone|\btel\b|tel\.|telefon|teléfono|téléphone|telefoon|mobil|\bmob\b|\bcell|handy|portable|"
    r"móvil|celular|cellulare|\bfax|\bcall|\bdial|\btext (?:me|us)|\bsms|whatsapp|hotline|"
    r"reach (?:me|us|him|her)|answering at|messages? to|(?:office|desk|direct|work|home):|☎|📞",
    re.IGNORECASE,
)
_WORD_AFTER = re.compile(r"[ ,\\(-]{0,3}(?:office|fax|mobile|cell|phone|desk)\b", re.IGNORECASE)
# With a country code and in groups: a telephone number, even if the plan knows no such one.
_INTERNATIONAL = re.compile(r"\+\d{1,3}[ \u00a0().-]")
# what is numbered in the groups of a telephone number and is none
_OTHER = re.compile(
    r"(?:order|invoice|part|isbn|issn|sku|serial|ticket|case|tracking|reference|model|item|batch|"
    r"contract|policy|account|version|claim|docket|article|doi|nhs|bsn|sin|tfn|pesel|vat|ein)"
    r"[ \w.:#]{0,12}$",
    re.IGNORECASE,
)
_DATE = re.compile(r"(?:19|20)\d\d[-/. ](?:0?[1-9]|1[0-2])[-/. ]|\d\d?[-/.]\d\d?[-/.](?:19|20)\d\d")
_IP_ADDRESS = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?!\.?\d)")
# Set aside for fiction: 555-0100 to 555-0199 in North America (NANPA), and Ofcom's ranges.
_FICTION = re.compile(r"55501\d\d$|2079460\d{3}$|7700900\d{3}$|1632960\d{3}$")
_BEFORE, _AFTER = 25, 25
_LEAST, _LONGEST = 7, 15  # digits: ITU-T E.164, and what is left of a number within a city


@DETECTORS.register
class PhoneDetector(Detector):
    """Telephone numbers that the numbering plan of their country allows."""

    detector: Literal["phone"] = "phone"
    regions: tuple[str, ...] = Field(
        ("US",),
        description="Countries (ISO 3166: US, GB, DE) whose numbers are written without a "
        "country code in these documents. Numbers with `+` are found whatever their country, and "
        "so are those that follow a word such as `phone`.",
    )
    reserved: bool = Field(
        False,
        description="Also numbers that are set aside for fiction, such as 555-0123.",
    )

    def find(self, text: str) -> Iterator[Finding]:
        """Return numbers that are valid, or announced by a word."""
        for found in _CANDIDATE.finditer(text):
            address = _IP_ADDRESS.search(found.group())
            stop = found.start() + address.start() if address else found.end()
            yield from self._in_candidate(text, found.start(), stop)

    def _in_candidate(self, text: str, start: int, stop: int) -> Iterator[Finding]:
        number = text[start:stop]
        before = _line_before(text, start)
        other = _OTHER.search(before)
        announced = bool(
            _WORD.search(before, other.start() if other else 0)
            or _WORD_AFTER.match(text, stop)
            or _INTERNATIONAL.match(number)
        )
        if (other or _DATE.match(number)) and not announced:
            return
        if not self.reserved and _is_fiction(number):
            return
        valid = set(self._valid(text, start, stop))
        for begin, end in sorted(valid):
            if announced or not text[begin:end].isdigit():
                yield Finding("phone", begin, end, FORM)
        digits = sum(character.isdigit() for character in number)
        possible = _LEAST <= digits <= _LONGEST and not _DATE.match(number)
        if announced and not valid and possible:
            yield Finding("phone", start, start + len(number.rstrip(" ./-(")), CONTEXT)

    def _valid(self, text: str, start: int, stop: int) -> Iterator[tuple[int, int]]:
        """Return the spans in which a numbering plan sees a number."""
        import phonenumbers

        # some room on both sides: what stands there tells numbers from other things
        offset = max(0, start - 2)
        window = _IP_ADDRESS.split(text[offset : stop + _AFTER])[0]
        international = text[start:stop].startswith(("+", "00"))
        for region in self.regions[:1] if international else self.regions:
            for match in phonenumbers.PhoneNumberMatcher(window, region):
                if start <= offset + match.start and offset + match.start + 5 < stop:
                    yield offset + match.start, offset + match.end


def _line_before(text: str, start: int) -> str:
    """Return what stands before a number: on its line, or on the line above an empty one."""
    *above, line = text[max(0, start - _BEFORE) : start].split("\n")
    return line if line.strip() or not above else above[-1]


def _is_fiction(number: str) -> bool:
    return _FICTION.search(re.sub(r"\D", "", number)) is not None
