"""Private keys, as whole blocks."""

import re
from collections.abc import Iterator
from typing import Literal

from tasks.scrubbing.detector import CHECKSUM, DETECTORS, Detector, Finding

_BLOCK = re.compile(
    r"-----BEGIN (?P<what>[A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?)-----"
    # up to its end; where that is missing, as far as lines of base64 and headers go
    r"(?:(?:(?!-----BEGIN).)*?-----END (?P=what)-----"
    r"|(?:\s+(?:[\w-]+: [^\n]*|[A-Za-z0-9+/=\\]{16,}))*)",
    re.DOTALL,
)
_PUTTY = re.compile(
    r"PuTTY-User-Key-File-\d: (?:(?!PuTTY-User).)*?Private-MAC: [0-9a-f]{40,64}", re.DOTALL
)


@DETECTORS.register
class PrivateKeyDetector(Detector):
    """Private keys in PEM, OpenSSH, PGP and PuTTY form."""

    detector: Literal["private_key"] = "private_key"

    def find(self, text: str) -> Iterator[Finding]:
        """Return blocks from their first to their last line."""
        for pattern, mark in ((_BLOCK, "PRIVATE KEY"), (_PUTTY, "PuTTY-User-Key-File")):
            for found in pattern.finditer(text) if mark in text else ():
                yield Finding("private_key", found.start(), found.end(), CHECKSUM)
