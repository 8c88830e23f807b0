"""Postal addresses, as far as their form gives them away."""

import re
from collections.abc import Iterator
from typing import Literal

from tasks.scrubbing.detector import DETECTORS, Detector, Finding

_CAPITALISED = r"(?:[A-ZÀ-Þ][\w'’.-]*|\d{1,3}(?:st|nd|rd|th))"
_SPACE = r"[ \u00a0]"
_LINE = r"[ \u00a0]*[,\n]?[ \u00a0\n]*"

_ENGLISH_STREET = (
    r"(?:Street|St|Avenue|Ave|Av|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Place|Pl|Square|"
    r"Sq|Terrace|Ter|Way|Parkway|Pkwy|Highway|Hwy|Circle|Cir|Close|Crescent|Gardens|Grove|Row|Alley|"
    r"Plaza|Trail|Mews|Broadway)"
)
_STATE = (
    r"(?:A[LKZR]|C[AOT]|D[EC]|FL|GA|HI|I[DLNA]|K[SY]|LA|M[EDAINSOT]|N[EVHJMYCD]|O[HKR]|PA|RI|S[CD]|"
    r"T[NX]|UT|V[TA]|W[AVIY]|PR)"
)
_US_PLACE = (
    rf"(?:{_CAPITALISED}{_SPACE}){{0,3}}{_CAPITALISED},?{_SPACE}{_STATE}\.?{_SPACE}+"
    rf"\d{{5}}(?:-\d{{4}})?"
)
_UK_POSTCODE = r"[A-Z]{1,2}\d[A-Z\d]?\s?\d[ABD-HJLNP-UW-Z]{2}"
_UK_PLACE = rf"(?:{_CAPITALISED},?[ \n]){{0,4}}{_UK_POSTCODE}"
_UNIT = r"(?:(?:Apt|Apartment|Suite|Ste|Unit|Floor|Fl|Room|Rm|Flat|#)\.?\s?#?[\w-]{1,6})"
_ENGLISH = (
    rf"\d{{1,6}}[A-Za-z]?(?:-\d{{1,5}})?{_SPACE}(?:[NSEW]{{1,2}}\.?{_SPACE})?"
    rf"(?:{_CAPITALISED}{_SPACE}){{1,4}}{_ENGLISH_STREET}\b\.?(?:{_SPACE}[NSEW]{{1,2}}\b\.?)?"
    rf"(?:,?{_SPACE}{_UNIT})?(?:{_LINE}{_US_PLACE}|{_LINE}{_UK_PLACE})?"
)
# Whatever the street is called, where a postal code of an unmistakable form follows.
_ANY_STREET = (
    rf"(?:{_UNIT}{_LINE})?\d{{1,6}}[A-Za-z]?{_SPACE}(?:{_CAPITALISED}{_SPACE}){{0,4}}{_CAPITALISED}"
    rf"(?:,?{_SPACE}{_UNIT})?{_LINE}(?:{_US_PLACE}|{_UK_PLACE})"
)
_BOX = rf"P\.?{_SPACE}?O\.?{_SPACE}?Box{_SPACE}\d+(?:{_LINE}{_US_PLACE})?"

_PLACE = rf"(?:[A-Z]{{1,2}}-)?\d{{4,5}},?{_SPACE}{_CAPITALISED}(?:[ -]{_CAPITALISED}){{0,2}}"
_GERMAN = (
    # "Engineering 101" and "auf Platz 3" end as streets do: these need a place behind them
    rf"(?:(?:[A-ZÄÖÜ][\wäöüß.-]*{_SPACE}?(?:straße|strasse|str\.|Straße|Strasse|Str\.)"
    rf"|[A-ZÄÖÜ][\wäöüß-]+(?:weg|platz|allee|gasse)){_SPACE}\d{{1,4}}{_SPACE}?[a-z]?\b"
    rf"(?:-\d{{1,4}})?(?:{_LINE}{_PLACE})?"
    rf"|[A-ZÄÖÜ][\wäöüß.-]*(?:{_SPACE}[A-ZÄÖÜ][\wäöüß-]*){{0,3}}{_SPACE}"
    rf"\d{{1,4}}{_SPACE}?[a-z]?(?:-\d{{1,4}})?(?:,{_SPACE}|\n)\d{{5}}{_SPACE}{_CAPITALISED})"
)
_FRENCH = (
    rf"\d{{1,4}}{_SPACE}?(?:bis|ter)?,?{_SPACE}(?:rue|avenue|boulevard|bd|place|allée|chemin|"
    rf"impasse|quai|"
    rf"cours|route|Rue|Avenue|Boulevard|Place|Allée|Chemin|Impasse|Quai)"
    rf"{_SPACE}(?:(?:de|du|des|la|le|les|d'|l'|de l'|d’|l’)\s?){{0,3}}"
    rf"{_CAPITALISED}(?:[ -](?:{_CAPITALISED}|de|du|des|la)){{0,3}}(?:{_LINE}{_PLACE})?"
)
_ROMANCE = (
    rf"(?:Calle|C/|Avenida|Avda\.?|Plaza|Paseo|Via|Viale|Piazza|Corso|"
    rf"Stretto|Strada|Vicolo|Borgo|Contrada|Viale|Canale|Rotonda|Cañada|Alameda|Glorieta|"
    rf"Pasaje|Ronda|Rambla|Vial|Urbanización|Camino|Callejón|Acceso|Cuesta|Pasadizo|"
    rf"Av\.|R\.|Rua|Largo|Praça|Travessa)"
    rf"{_SPACE}(?:(?:de|del|della|dei|delle|da|do|dos|das|la|el|di){_SPACE}){{0,2}}"
    rf"{_CAPITALISED}(?:{_SPACE}(?:{_CAPITALISED}|de|del|della|di|y|e)){{0,3}},?{_SPACE}"
    rf"(?:n[.º°o]?{_SPACE}?)?\d{{1,4}}\b(?:{_SPACE}(?:Piso|Piano|Puerta|Appartamento){_SPACE}\w+)?"
    rf"(?:{_LINE}(?:{_CAPITALISED},{_SPACE}\d{{5}}|\d{{4}}-\d{{3}}{_SPACE}{_CAPITALISED}"
    rf"|{_PLACE}))?"
)
_DUTCH = (
    rf"[A-Z][\w-]*(?:straat|laan|gracht|plein|kade|dijk|singel|weg|hof){_SPACE}\d{{1,4}}"
    rf"(?:{_SPACE}?[a-zA-Z]\b)?"
    rf"(?:{_LINE}\d{{4}}{_SPACE}?[A-Z]{{2}}{_SPACE}{_CAPITALISED})?"
    rf"|{_CAPITALISED}(?:{_SPACE}{_CAPITALISED}){{0,2}}{_SPACE}\d{{1,4}}[a-z]?"
    rf"{_LINE}\d{{4}}{_SPACE}?[A-Z]{{2}}{_SPACE}{_CAPITALISED}"
)
_POLISH = (
    rf"(?:ul\.|al\.|pl\.|os\.|ulica|aleja|plac){_SPACE}{_CAPITALISED}"
    rf"(?:{_SPACE}{_CAPITALISED}){{0,2}}{_SPACE}\d{{1,4}}[a-z]?(?:/\d+)?(?:{_LINE}\d\d-\d{{3}}{_SPACE}{_CAPITALISED})?"
)
_FORMS = (_ENGLISH, _ANY_STREET, _BOX, _GERMAN, _FRENCH, _ROMANCE, _DUTCH, _POLISH)
_ADDRESS = re.compile(rf"(?<![\w$€£./-])(?:{'|'.join(_FORMS)})")


@DETECTORS.register
class AddressDetector(Detector):
    """Postal addresses with a street and a number, or a post office box.

    Known by their form in English, German, French, Spanish, Italian, Portuguese, Dutch and
    Polish. Not found: places without a street and number, names of houses, other languages,
    streets in lower case. Whether a person or an organisation lives there cannot be told.
    """

    detector: Literal["address"] = "address"

    def find(self, text: str) -> Iterator[Finding]:
        """Return addresses, with the postal code and place where they follow."""
        for found in _ADDRESS.finditer(text):
            yield Finding("address", found.start(), found.end())
