"""Passwords and other secrets that a name gives away: in configuration, commands, addresses."""

import re
from collections.abc import Iterator
from typing import Literal

from tasks.scrubbing.detector import CONTEXT, DETECTORS, FORM, Detector, Finding

# What a value is called: DB_PASSWORD, spring.datasource.password, smtpPassword2, api-key.
_NAME = re.compile(
    r"(?P<password>pass(?:word|wd|phrase|code|wort)?|kennwort|pwd|mot de passe|contraseña|"
    r"contrasena|senha)"
    r"|(?P<secret>(?:secret|api|auth|access|account|client|private|encryption|signing|master|"
    r"service|shared|consumer)(?:[_ -]?access)?[_ -]?(?:key|secret|token)|secret|token|"
    r"credentials?)"
)
_ASSIGNED = re.compile(
    r"[\w-]{0,12}[\"'`\])]{0,2}[ \t]*(?P<sign>:=|=>|={1,3}|:)[ \t]*"
    r"(?:(?P<quote>[\"'`])(?P<quoted>[^\"'`\n]{4,200})(?P=quote)"
    r"|(?P<open>[^\s\"'`,;|<>(){}]{4,200}))"
)
_SAID = re.compile(
    r"(?: (?:is|was|to|of|ist|lautet|es|è|est|é))?:? [\"'`“‘„]?"
    r"(?P<open>[^\s\"'`“”‘’<>(){}]{4,100})"
)
_OPTION = re.compile(
    r"--(?:password|passwd|token|secret|api-key)[ =](?P<open>[^\s\"'<>$({-][^\s\"'<>]{3,})"
)
_USER = re.compile(r"(?:-u|--user)[ =]?[\"']?[\w.@-]+:(?P<open>[^\s\"'<>$({][^\s\"'<>({]{3,})")
_HEADER = re.compile(r"(?:earer|Basic|basic|Token) (?P<open>[A-Za-z0-9+/=._~-]{16,})")
# Greedy up to the last @ before the host: passwords hold such characters, encoded or not.
_ADDRESS = re.compile(r"://[^\s:/@\"'<>]{0,100}:(?P<open>[^\s/\"'<>]{1,200})@")

_IN_COMMANDS = (
    (_ADDRESS, "password"),
    (_OPTION, "password"),
    (_USER, "password"),
    (_HEADER, "secret"),
)

# Names of variables, calls, and words that stand where a value will be.
_PLACEHOLDER = re.compile(
    r"^[<\[{$%(]|\$\{|\{\{|[}>)]$|^(?:x+|\*+|\.+|-+|_+|•+)$"
    r"|^(?:your|my|the|some|a|an|new|old|insert|enter|replace|example|changeme|change[_-]?me|"
    r"redacted|hidden|removed|todo|tbd|null|none|nil|true|false|undefined|optional|required|"
    r"string|str|text|bool|int|bytes|secret|password|passwd|pass|pwd|token|key|placeholder|dummy|"
    r"value|username|user|foo|bar|baz|test|default|empty|n/a)(?:$|[_.,\s-]|here\b)"
    r"|^(?:os\.|env|process\.|config|settings|self\.|this\.|params|request|args|vault|secrets?\.|"
    r"data\.|var\.|\w+\(|\w+\.\w+\.|https?:|/|\./|~/|file:|arn:|!)|x{4,}|\*{3,}|\.{3}",
    re.IGNORECASE,
)
_LEAST_TOKEN = 12
_LEAST_SAID = 5
_ENDS = ".,;:!?"


@DETECTORS.register
class PasswordDetector(Detector):
    """Values that are called a password, secret, key or token where they stand.

    A value must look like one: no variable, no placeholder, no word of a sentence.
    """

    detector: Literal["password"] = "password"

    def find(self, text: str) -> Iterator[Finding]:
        """Return values, without their names."""
        for name in _NAME.finditer(_lowered(text)):
            yield from _named(text, name)
        for pattern, kind in _IN_COMMANDS:
            for found in pattern.finditer(text):
                value = found.group("open")
                if not _PLACEHOLDER.search(value) and (pattern is _ADDRESS or _is_varied(value)):
                    yield _finding(kind, found, "open", FORM)


def _lowered(text: str) -> str:
    """Return the text in lower case with every character in its place."""
    lowered = text.lower()
    if len(lowered) == len(text):
        return lowered
    return "".join(c.lower() if len(c.lower()) == 1 else c for c in text)


def _named(text: str, name: re.Match[str]) -> Iterator[Finding]:
    kind = str(name.lastgroup)
    found = _ASSIGNED.match(text, name.end())
    if found and not _PLACEHOLDER.search(_value(found)):
        if (kind == "secret" and _is_token(_value(found))) or (
            kind == "password" and _is_password(text, found)
        ):
            yield _finding(kind, found, _group(found))
    elif kind == "password" and not text[name.start() - 1 : name.start()].isalnum():
        yield from _said(text, name)


def _said(text: str, name: re.Match[str]) -> Iterator[Finding]:
    """Return the value of "the password is ..."."""
    if said := _SAID.match(text, name.end()):
        value = said.group("open").rstrip(_ENDS)
        if _is_varied(value) and len(value) >= _LEAST_SAID and not _PLACEHOLDER.search(value):
            yield _finding("password", said, "open")


def _group(found: re.Match[str]) -> str:
    return "quoted" if found.group("quoted") else "open"


def _value(found: re.Match[str]) -> str:
    return found.group(_group(found)).strip()


def _is_password(text: str, found: re.Match[str]) -> bool:
    """Whether a value is one: set in quotation marks, alone on its line, or like no word."""
    value = _value(found)
    if _is_varied(value):
        return True
    is_setting = found.group("sign") != ":" and " " not in value
    return is_setting and (_group(found) == "quoted" or _ends_line(text, found.end()))


def _ends_line(text: str, end: int) -> bool:
    """Whether nothing but a comment follows, as in a file of settings."""
    rest = text[end : end + 200].split("\n", 1)[0].strip()
    return not rest or rest[0] in "#;,&|}/\"'"


def _is_token(value: str) -> bool:
    """Whether a value is long and mixed enough to be no word, name or path."""
    is_path = value.count("/") > 2 and "." in value
    if len(value) < _LEAST_TOKEN or " " in value or is_path:
        return False
    digits = sum(character.isdigit() for character in value)
    letters = sum(character.isalpha() for character in value)
    # names in code have a number at their end at most: secret-key-ref-2
    return digits >= 2 and letters >= 2 and not re.fullmatch(r"[A-Za-z._-]+\d{0,2}", value)


def _is_varied(value: str) -> bool:
    """Whether letters stand with digits or signs, as they do in no word."""
    core = value.rstrip(_ENDS)
    letters = any(character.isalpha() for character in core)
    signs = any(character in "!@#$%^&*+=?~" for character in core)
    digits = any(character.isdigit() for character in core)
    return letters + signs + digits >= 2


def _finding(kind: str, found: re.Match[str], group: str, certainty: int = CONTEXT) -> Finding:
    start, end = found.span(group)
    if group == "open":
        value = found.group(group)
        # in an address, the next of its parameters follows
        value = value.split("&", 1)[0] if found.groupdict().get("sign") == "=" else value
        end = start + len(value.rstrip(".,;:"))
    return Finding(kind, start, end, certainty)
