"""IP addresses, version 4 and 6."""

import ipaddress
import re
from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from tasks.scrubbing.detector import CONTEXT, DETECTORS, FORM, Detector, Finding, words_near

_V4 = re.compile(r"(?<![\w.-])(?:\d{1,3}\.){3}\d{1,3}(?![\w-]|\.\w)")
_V6 = re.compile(r"(?<![\w:.])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?![\w:]|\.\d)", re.IGNORECASE)
_VERSION = re.compile(
    r"(?:\bv|\bver\.?|version|versions|release|releases|build|firmware|section|sections|clause|"
    r"chapter|paragraph|§|#|==|>=|<=|~=|\^|@)\s*$",
    re.IGNORECASE,
)
_NETWORK = re.compile(
    r"\b(?:ip|ips|ipv4|ipv6|address|addresses|adresse|host|hosts|server|dns|gateway|router|ping|"
    r"from|client|login|proxy|subnet|netmask|nameserver|remote|allow|deny|listen)\b",
    re.IGNORECASE,
)
# Numbers of versions and sections are small; 1.2.3.4 needs a word that says what it is.
_SMALL = 30


@DETECTORS.register
class IpAddressDetector(Detector):
    """IP addresses of machines that can be reached; versions and section numbers are left."""

    detector: Literal["ip_address"] = "ip_address"
    private: bool = Field(
        False,
        description="Also addresses of private and documentation networks (10.0.0.1, "
        "192.168.1.1, 203.0.113.7), which lead to nobody.",
    )

    def find(self, text: str) -> Iterator[Finding]:
        """Return addresses that `ipaddress` accepts."""
        for found in _V4.finditer(text):
            certainty = _certainty(text, found)
            if certainty and self._is_wanted(found.group()):
                yield Finding("ip_address", found.start(), found.end(), certainty)
        for found in _V6.finditer(text) if "::" in text or text.count(":") > 6 else ():
            if self._is_wanted(found.group()) and any(c.isdigit() for c in found.group()):
                yield Finding("ip_address", found.start(), found.end())

    def _is_wanted(self, address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        if parsed.is_loopback or parsed.is_unspecified or parsed.is_multicast:
            return False
        return parsed.is_global or (self.private and not address.startswith(("255.", "0.")))


def _certainty(text: str, found: re.Match[str]) -> int:
    if _VERSION.search(text, max(0, found.start() - 20), found.start()):
        return 0
    if all(int(octet) <= _SMALL for octet in found.group().split(".")):
        near = words_near(_NETWORK, text, found.start(), found.end())
        return CONTEXT if near else 0
    return FORM
