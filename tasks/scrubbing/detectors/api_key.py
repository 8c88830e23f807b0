"""Keys and tokens of known services."""

import re
from collections.abc import Iterator
from typing import Literal

from tasks.scrubbing.detector import DETECTORS, FORM, Detector, Finding
from tasks.scrubbing.secret_patterns import token_patterns

# Cheap: no key is shorter, and all but a few have a digit in them.
_LONG = re.compile(r"[\w/+=.:@-]{16,}")
# What may stand in front of a key and be part of its pattern: the name of its service.
_ROOM = 60
_LEAST_LENGTH = 12
# Several patterns match a key's name with it: the key is then the long group.
_LEAST_GROUP = 20
_EXAMPLE = re.compile(
    r"x{6}|\.{3}|\*{4}|0{10}|1234567890abcdef|(?:your|my|fake|dummy)[_-]", re.IGNORECASE
)


@DETECTORS.register
class ApiKeyDetector(Detector):
    """Keys and tokens with a form of their own: AWS, GitHub, Slack, Stripe, OpenAI and others."""

    detector: Literal["api_key"] = "api_key"

    def find(self, text: str) -> Iterator[Finding]:
        """Return tokens that stand by themselves and have a digit or both cases in them."""
        for begin, stop in _windows(text):
            for pattern in token_patterns():
                for found in pattern.finditer(text, begin, stop):
                    start, end = _span(found)
                    if _is_token(text[start:end]) and _is_alone(text, start, end):
                        yield Finding("api_key", start, end, FORM)


def _windows(text: str) -> Iterator[tuple[int, int]]:
    """Return where a key can be: around long words that are no plain words."""
    end = -1
    for found in _LONG.finditer(text):
        if found.end() > end and _is_mixed(found.group()):
            # a whole line more, for patterns that end with white space
            end = found.end() + 2
            yield max(0, found.start() - _ROOM), end


def _is_mixed(word: str) -> bool:
    return any(c.isdigit() for c in word) or (word.lower() != word and not word.istitle())


def _span(found: re.Match[str]) -> tuple[int, int]:
    groups = [n for n in range(1, found.re.groups + 1) if found.group(n)]
    long = [n for n in groups if len(found.group(n)) >= _LEAST_GROUP]
    start, end = found.span(long[0]) if long else found.span()
    inner = found.string[start:end]
    trimmed = inner.strip(" \t\n\"'=:")
    offset = inner.find(trimmed)
    return start + offset, start + offset + len(trimmed)


def _is_token(token: str) -> bool:
    varied = any(c.isdigit() for c in token) or token not in {token.lower(), token.upper()}
    return varied and len(token) >= _LEAST_LENGTH and not _EXAMPLE.search(token)


def _is_alone(text: str, start: int, end: int) -> bool:
    before, after = text[start - 1 : start] if start else "", text[end : end + 1]
    return not (before.isalnum() or after.isalnum())
