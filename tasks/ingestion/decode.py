"""Turns bytes into text, whatever encoding they are in."""

import re

from tasks.ingestion.parser import UnreadableFile

_LINE_ENDS = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")

# Encodings of the languages that most documents here are in, most common first. Short
# texts fit many encodings equally well; then the first of these that fits is taken.
_PREFERRED = ("cp1252", "cp1250", "cp1251", "gb18030", "shift_jis", "euc_kr")


def decode(content: bytes) -> str:
    """Return the text with line feeds as line ends.

    Raises:
        UnreadableFile: No encoding fits.
    """
    return _LINE_ENDS.sub("\n", _decode(content))


def _decode(content: bytes) -> str:
    encoding = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        return _guess(content)


def _guess(content: bytes) -> str:
    import charset_normalizer

    matches = charset_normalizer.from_bytes(content)
    best = matches.best()
    if best is None:
        raise UnreadableFile("undecodable", "The text is in no encoding that could be recognised.")
    for encoding in _PREFERRED:
        for match in matches:
            equally_good = match.chaos <= best.chaos and match.coherence >= best.coherence
            if encoding in match.could_be_from_charset and equally_good:
                return content.decode(encoding, errors="replace")
    return str(best)
