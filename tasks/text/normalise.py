"""One normal form of text, so that case, punctuation and spacing do not hide a copy."""

import re
import unicodedata

_NOT_WORD = re.compile(r"[\W_]+")


def normalise(text: str) -> str:
    """Return the text in NFKC, case-folded, with words separated by single spaces."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return _NOT_WORD.sub(" ", folded).strip()
