"""Numbers by which states know persons: social security, tax, health, identity."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from pydantic import Field

from tasks.scrubbing import national_checks as checks
from tasks.scrubbing.detector import (
    CHECKSUM,
    CONTEXT,
    DETECTORS,
    FORM,
    Detector,
    Finding,
    words_near,
)

_NEVER = re.compile(r"(?!)")


@dataclass(frozen=True)
class NationalNumber:
    """One kind of number.

    Attributes:
        kind: Country and name; becomes the placeholder.
        pattern: How it is written; group 0 is the number.
        is_valid: Given the number without separators.
        words: What it is called where it stands.
        bare: A form so common that one of the words must stand somewhere in the text (where
            check digits prove it) or near it (where nothing does).
        proven: Whether `is_valid` computes check digits.
    """

    kind: str
    pattern: re.Pattern[str]
    is_valid: Callable[[str], bool]
    words: re.Pattern[str]
    bare: re.Pattern[str] = field(default=_NEVER)
    proven: bool = True


def _number(
    kind: str,
    pattern: str,
    is_valid: Callable[[str], bool],
    words: str = "",
    bare: str = "",
    proven: bool = True,
) -> NationalNumber:
    return NationalNumber(
        kind,
        re.compile(rf"(?<![\w.,/+-])(?:{pattern})(?![\w/]|[.,-]\d)"),
        is_valid,
        re.compile(rf"\b(?:{words})", re.IGNORECASE) if words else _NEVER,
        re.compile(bare) if bare else _NEVER,
        proven,
    )


_SSN = r"ssn|social security|taxpayer"
_NUMBERS = (
    _number(
        "us_ssn", r"\d{3}-\d{2}-\d{4}|\d{3} \d{2} \d{4}|\d{9}", checks.ssn, _SSN, r"[\d ]+", False
    ),
    _number("us_itin", r"9\d{2}-\d{2}-\d{4}|9\d{8}", checks.itin, r"itin|taxpayer", r"\d+", False),
    _number(
        "uk_nino",
        r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]",
        checks.nino,
        proven=False,
    ),
    _number("uk_nhs", r"\d{3}[ -]?\d{3}[ -]?\d{4}", checks.nhs, r"nhs|patient", r".+"),
    _number(
        "ca_sin", r"\d{3}[ -]?\d{3}[ -]?\d{3}", checks.sin, r"sin\b|social insurance|nas\b", r".+"
    ),
    _number("au_tfn", r"\d{3}[ -]?\d{3}[ -]?\d{3}", checks.tfn, r"tfn|tax file", r".+"),
    _number(
        "de_tax_id",
        r"\d{2} ?\d{3} ?\d{3} ?\d{3}",
        checks.steuer_id,
        r"steuer|idnr|tin\b|tax",
        r".+",
    ),
    _number("de_pension", r"\d{2} ?[0-3]\d[01]\d{3} ?[A-Z] ?\d{3}", checks.rentenversicherung),
    _number(
        "fr_nir",
        r"[12] ?\d{2} ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}",
        checks.nir,
    ),
    _number("es_dni", r"\d{8}[ -]?[A-HJ-NP-TV-Z]", checks.dni),
    _number("es_nie", r"[XYZ][ -]?\d{7}[ -]?[A-HJ-NP-TV-Z]", checks.dni),
    _number(
        "it_codice_fiscale",
        r"[A-Z]{3} ?[A-Z]{3} ?\d{2}[ABCDEHLMPRST]\d{2} ?[A-Z]\d{3}[A-Z]",
        checks.codice_fiscale,
    ),
    _number("nl_bsn", r"\d{9}|\d{4}\.\d{2}\.\d{3}", checks.bsn, r"bsn|burgerservice|sofi", r".+"),
    _number("pl_pesel", r"\d{11}", checks.pesel, r"pesel", r".+"),
    _number("pt_nif", r"\d{3} ?\d{3} ?\d{3}", checks.nif, r"nif\b|contribuinte", r".+"),
    _number(
        "be_national_number",
        r"\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}|\d{11}",
        checks.rijksregister,
        r"rijksregister|registre national|national n|insz|niss|nrn",
        r"\d+",
    ),
    _number("se_personnummer", r"(?:19|20)?\d{6}[-+]\d{4}", checks.personnummer),
    _number("fi_hetu", r"\d{6}[-+ABCDEFYXWVU]\d{3}[0-9A-FHJ-NPR-Y]", checks.hetu),
    _number(
        "no_fodselsnummer",
        r"\d{6} ?\d{5}",
        checks.fodselsnummer,
        r"f[øo]dselsnummer|personnummer|fnr|national id",
        r".+",
    ),
    _number("dk_cpr", r"\d{6}-\d{4}", checks.cpr, r"cpr|personnummer", r".+", False),
    _number("ch_ahv", r"756\.?\d{4}\.?\d{4}\.?\d{2}", checks.ahv),
    _number(
        "at_svnr",
        r"\d{4} ?\d{6}",
        checks.sozialversicherung,
        r"sozialversicherung|sv-?n|svnr|versicherungsnummer",
        r".+",
    ),
    _number("br_cpf", r"\d{3}\.\d{3}\.\d{3}-\d{2}|\d{11}", checks.cpf, r"cpf", r"\d+"),
    _number("in_aadhaar", r"\d{4}[ -]?\d{4}[ -]?\d{4}", checks.aadhaar, r"aadh?aar|uidai", r".+"),
    _number("ie_pps", r"\d{7}[A-W][A-IW]?", checks.pps, r"pps", r".+"),
)
# Cheap: every number here has six digits near each other, with few signs between them.
_ANY = re.compile(r"\d(?:[ .+-]?[A-Z]?\d){5,20}|[A-Z]\d{2}[A-Z]\d{2}")
# How far a number can reach beyond what `_ANY` finds of it.
_ROOM = 14
_SEPARATORS = re.compile(r"[ .+-]")


@DETECTORS.register
class NationalNumberDetector(Detector):
    """National numbers of persons in 23 countries, most of them proven by check digits."""

    detector: Literal["national_number"] = "national_number"
    countries: tuple[str, ...] = Field(
        (),
        description="Countries (`us`, `uk`, `de`, ...) whose numbers are looked for; empty means "
        "all that are known.",
    )

    def find(self, text: str) -> Iterator[Finding]:
        """Return numbers that can have been issued."""
        for found in _ANY.finditer(text):
            begin, stop = max(0, found.start() - _ROOM), found.end() + _ROOM
            for number in _NUMBERS:
                if not self.countries or number.kind[:2] in self.countries:
                    yield from _find(number, text, begin, stop)


def _find(number: NationalNumber, text: str, begin: int, stop: int) -> Iterator[Finding]:
    for found in number.pattern.finditer(text, begin, stop):
        if not number.is_valid(_SEPARATORS.sub("", found.group())):
            continue
        named = number.words is not _NEVER
        near = named and words_near(number.words, text, found.start(), found.end())
        # a column has its name at its head only
        called = near or (number.proven and named and number.words.search(text))
        if number.bare.fullmatch(found.group()) and not called:
            continue
        certainty = CHECKSUM if number.proven else CONTEXT if near else FORM
        yield Finding(number.kind, found.start(), found.end(), certainty)
