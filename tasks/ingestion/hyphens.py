"""Words that a line's end divides, in texts that wrap their lines."""

import re
from collections import Counter

from tasks.text.words import word_set

_FENCE = re.compile(
    r"(^[ \t]*(?:```|~~~).*?(?:^[ \t]*(?:```|~~~)[^\n]*$|\Z))", re.MULTILINE | re.DOTALL
)
_DIVIDED = re.compile(r"(?<![\w-])((?:[^\W\d_]+-)*)([^\W\d_]{2,})[-\u2010]\n[ \t]*([^\W\d_]+)")
_WORD = re.compile(r"[^\W\d_]+(?:[-\u2010][^\W\d_]+)*")
# First halves that keep their hyphen in most words: self-service, well-known, non-profit.
_PREFIXES = word_set(
    "self well non ex co cross half high low long short part full all anti post pre semi multi "
    "one two three four five six seven eight nine ten first second third e web open real day "
    "face end up on off in out over under year hand user case step state best"
)


def join_divided(text: str) -> tuple[str, int]:
    """Join words that are divided at a line's end; compounds keep their hyphen.

    What the rest of the text writes decides first: "policy" as a word of its own joins
    "pol-" and "icy", "well-known" keeps its hyphen. Else the hyphen stays where both halves
    are words of the text, or the first is one that compounds begin with.

    Returns:
        The text, and how many words were joined.
    """
    if "-\n" not in text and "\u2010\n" not in text:
        return text, 0
    words = Counter(word.casefold() for word in _WORD.findall(text))
    joined = 0

    def mend(found: re.Match[str]) -> str:
        nonlocal joined
        joined += 1
        lead, first, second = found.groups()
        # what has hyphens already is a compound: state-of-the-art
        stays = bool(lead) or _keeps_hyphen(first, second, words)
        hyphen = "-" if stays else ""
        return f"{lead}{first}{hyphen}{second}"

    parts = _FENCE.split(text)
    mended = [part if n % 2 else _DIVIDED.sub(mend, part) for n, part in enumerate(parts)]
    return "".join(mended), joined


def _keeps_hyphen(first: str, second: str, words: Counter[str]) -> bool:
    one, two = first.casefold(), second.casefold()
    if words[one + two]:
        return False
    if words[f"{one}-{two}"] or not second[0].islower() or one in _PREFIXES:
        return True
    # the half behind the line's end is counted as a word by being there
    return words[one] > 0 and words[two] > 1
