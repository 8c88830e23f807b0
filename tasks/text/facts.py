"""The words in which two near-identical texts must agree to say the same."""

import re
import unicodedata

_WORD = re.compile(r"[^\W_]+")

# After these a capital letter opens a sentence, a line or a list item and names nothing.
_OPENS = ".!?:\n-*•"

# English numbers and negations. "One" is left out: it is mostly an article.
_TELLING_WORDS = (
    "zero two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety "
    "hundred thousand million half once twice second third fourth fifth "
    "no not never nor none cannot without"
)
_TELLING = frozenset(_TELLING_WORDS.split())


def facts(text: str) -> frozenset[str]:
    """Return the numbers, names and negations of a text, case-folded.

    Names are words with a capital letter within a sentence. "Grease the 12 hinges of the
    Wren" and "Grease the 16 hinges of the Rose" look alike to every measure of overlap;
    their facts differ. Languages that capitalise nouns give more facts, which errs on the
    side of calling two texts different.
    """
    normal = unicodedata.normalize("NFKC", text)
    matches = _WORD.finditer(normal)
    return frozenset(m.group().casefold() for m in matches if _tells(normal, m))


def values(text: str) -> frozenset[str]:
    """Return the numbers and negations of a text, case-folded: its facts without the names."""
    return frozenset(filter(_is_value, words(text)))


def words(text: str) -> frozenset[str]:
    """Return the words of a text, case-folded."""
    found = _WORD.findall(unicodedata.normalize("NFKC", text))
    return frozenset(word.casefold() for word in found)


def _tells(text: str, match: re.Match[str]) -> bool:
    return _is_value(match.group()) or _is_name(text, match.start())


def _is_value(word: str) -> bool:
    return any(map(str.isdigit, word)) or word.casefold() in _TELLING


def _is_name(text: str, start: int) -> bool:
    before = text[max(0, start - 3) : start].rstrip(" ")
    return text[start].isupper() and before != "" and before[-1] not in _OPENS
