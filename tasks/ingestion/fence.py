"""Markdown's fences around code."""

import re

_BACKTICKS = re.compile(r"`{3,}")


def fenced(code: str, language: str = "") -> str:
    """Return code between fences that are longer than any in it; empty if it holds nothing."""
    body = code.strip("\n").rstrip()
    if not body.strip():
        return ""
    longest = max((len(run) for run in _BACKTICKS.findall(body)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{body}\n{fence}"
