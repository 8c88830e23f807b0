"""E-mail addresses."""

import re
from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from tasks.scrubbing.detector import DETECTORS, Detector, Finding

_LOCAL = r"[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*"
_LABEL = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
_AT = re.compile(rf"@(?:{_LABEL}\.)+(?:xn--[a-z0-9-]{{2,59}}|[^\W\d_]{{2,24}})(?![\w@])")
_BEFORE = re.compile(rf"(?:{_LOCAL})$")
# "jane (at) x.org" and its sisters; the brackets are what makes it deliberate
_DISGUISED = re.compile(
    rf"\b[\w.+-]+ ?[\[({{] ?at ?[\])}}] ?"
    rf"(?:{_LABEL}(?:\.| ?[\[({{] ?dot ?[\])}}] ?))+[a-z]{{2,24}}\b",
    re.IGNORECASE,
)
_BRACKETED = re.compile(r"[\[({] ?[aA][tT] ?[\])}]")
# what comes after the @ is then no host: logo@2x.png, package@next.js
_FILE_ENDINGS = frozenset(
    [
        "png",
        "jpg",
        "jpeg",
        "gif",
        "svg",
        "webp",
        "css",
        "scss",
        "js",
        "jsx",
        "ts",
        "tsx",
        "json",
        "html",
        "md",
        "py",
    ]
)
# RFC 2606 and RFC 6761 set these aside for examples: nobody can have such an address
_RESERVED = re.compile(
    r"(?:^|[@.])(?:example\.(?:com|org|net|edu)|[^@]*\.(?:example|test|invalid|localhost|local))$",
    re.IGNORECASE,
)
_LONGEST_LOCAL = 64  # RFC 5321, 4.5.3.1.1


@DETECTORS.register
class EmailDetector(Detector):
    """E-mail addresses, also those written with (at) and (dot)."""

    detector: Literal["email"] = "email"
    reserved: bool = Field(
        False,
        description="Also addresses at example.com and the other names that are set aside for "
        "documentation, which nobody can have.",
    )

    def find(self, text: str) -> Iterator[Finding]:
        """Return addresses, most of them by their `@`."""
        for at in _AT.finditer(text) if "@" in text else ():
            before = text[max(0, at.start() - _LONGEST_LOCAL) : at.start()]
            local = _BEFORE.search(before)
            if local is None or not self._is_address(text, local.group(), at):
                continue
            start = at.start() - len(_trimmed(local.group()))
            yield Finding("email", start, at.end())
        for found in _DISGUISED.finditer(text) if _BRACKETED.search(text) else ():
            yield Finding("email", found.start(), found.end())

    def _is_address(self, text: str, local: str, at: re.Match[str]) -> bool:
        host = at.group()[1:]
        # git@github.com:owner/name and user:password@host are addresses of machines
        is_remote = local == "git" or text[at.end() : at.end() + 2].strip("0123456789") == ":/"
        if is_remote or "://" in _token_before(text, at.start()):
            return False
        is_file = host.rsplit(".", 1)[-1].lower() in _FILE_ENDINGS
        return (
            bool(_trimmed(local)) and not is_file and (self.reserved or not _RESERVED.search(host))
        )


def _trimmed(local: str) -> str:
    """Return a local part without the quotation marks and signs that Markdown puts before it."""
    return local.lstrip("'`*=|/{~_#?&")


def _token_before(text: str, end: int) -> str:
    return re.split(r"\s", text[max(0, end - 200) : end])[-1]
