"""Hardware addresses of network cards."""

import re
from collections.abc import Iterator
from typing import Literal

from tasks.scrubbing.detector import DETECTORS, Detector, Finding

_MAC = re.compile(
    r"(?<![\w:.-])(?:[0-9A-Fa-f]{2}([:-]))(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}(?![\w:-])"
    r"|(?<![\w.])(?:[0-9A-Fa-f]{4}\.){2}[0-9A-Fa-f]{4}(?![\w.])"
)
_NOBODYS = frozenset({"000000000000", "ffffffffffff"})


@DETECTORS.register
class MacAddressDetector(Detector):
    """Hardware (MAC) addresses: 00:1b:44:11:3a:b7, 00-1B-44-11-3A-B7, 001b.4411.3ab7."""

    detector: Literal["mac_address"] = "mac_address"

    def find(self, text: str) -> Iterator[Finding]:
        """Return addresses of six octets."""
        for found in _MAC.finditer(text):
            octets = re.sub(r"[^0-9a-f]", "", found.group().lower())
            # three groups of four digits alone are a number with dots: 1000.2000.3000
            if octets not in _NOBODYS and not ("." in found.group() and octets.isdigit()):
                yield Finding("mac_address", found.start(), found.end())
