"""JSON web tokens."""

import base64
import json
import re
from collections.abc import Iterator
from typing import Literal

from tasks.scrubbing.detector import CHECKSUM, DETECTORS, Detector, Finding

# `{"` in base64
_JWT = re.compile(r"(?<![\w-])eyJ[\w-]{8,}\.[\w-]{2,}(?:\.[\w-]*){0,3}")


@DETECTORS.register
class JwtDetector(Detector):
    """JSON web tokens (RFC 7519) whose header can be read."""

    detector: Literal["jwt"] = "jwt"

    def find(self, text: str) -> Iterator[Finding]:
        """Return tokens."""
        for found in _JWT.finditer(text) if "eyJ" in text else ():
            if _has_header(found.group()):
                end = found.start() + len(found.group().rstrip("."))
                yield Finding("jwt", found.start(), end, CHECKSUM)


def _has_header(token: str) -> bool:
    header = token.split(".", 1)[0]
    try:
        decoded = json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))
    except ValueError:
        return False
    return isinstance(decoded, dict)
