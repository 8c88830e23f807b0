"""Typos: the question as it is typed in a hurry; the answer stays clean."""

import re
from collections.abc import Iterator
from random import Random
from typing import ClassVar, Literal

from pydantic import Field

from tasks.augmentation.augmenter import AUGMENTERS, Example, RuleAugmenter, Variant

# Neighbours on a QWERTY keyboard.
_NEIGHBOURS = {
    "q": "wa", "w": "qes", "e": "wrd", "r": "etf", "t": "ryg", "y": "tuh", "u": "yij",
    "i": "uok", "o": "ipl", "p": "ol", "a": "qsz", "s": "adwx", "d": "sfec", "f": "dgrv",
    "g": "fhtb", "h": "gjyn", "j": "hkum", "k": "jlim", "l": "kop", "z": "asx", "x": "zsdc",
    "c": "xdfv", "v": "cfgb", "b": "vghn", "n": "bhjm", "m": "njk",
}  # fmt: skip

# Quoted text, addresses and what is not plain lower-case prose carry names and numbers: left
# alone.
_QUOTED = re.compile(r'"[^"]*"|\S*[@/]\S*|\w+(?:\.\w+)+')
_WORD = re.compile(r"\b[a-z]{4,}\b")


@AUGMENTERS.register
class TyposAugmenter(RuleAugmenter):
    """Mistypes a word or two of the question, or drops capitals and question mark."""

    like_parent: ClassVar[bool] = True

    augmenter: Literal["typos"] = "typos"
    words_per_typo: int = Field(
        8, ge=2, description="One word in this many is mistyped, at least one, at most three."
    )

    def augment(self, example: Example, random: Random) -> Iterator[Variant]:
        """Yield a mistyped question, then one in lower case without its mark."""
        question = example.question
        mistyped = self._mistype(question, random)
        if mistyped is not None:
            yield Variant(mistyped, example.answer)
        careless = question[0].lower() + question[1:].removesuffix("?")
        if question.endswith("?") and question[1:2].islower():
            yield Variant(careless, example.answer)

    def _mistype(self, question: str, random: Random) -> str | None:
        quoted = [match.span() for match in _QUOTED.finditer(question)]
        words = [
            match
            for match in _WORD.finditer(question)
            if not any(start <= match.start() < end for start, end in quoted)
        ]
        if not words:
            return None
        count = max(1, min(3, len(question.split()) // self.words_per_typo, len(words)))
        for match in sorted(random.sample(words, count), key=lambda m: -m.start()):
            start, end = match.span()
            question = question[:start] + mistype(match.group(), random) + question[end:]
        return question


def mistype(word: str, random: Random) -> str:
    """Return a word of at least four letters with one slip; the first letter stays.

    The slips are those of Damerau (1964), who found that four sorts of single slip make
    up 80 % of misspellings: a letter wrong, missing, doubled, or two swapped.
    """
    place = random.randrange(1, len(word) - 1)
    slip = random.choice(("wrong", "missing", "doubled", "swapped"))
    before, letter, after = word[:place], word[place], word[place + 1 :]
    if slip == "missing":
        return before + after
    if slip == "swapped" and after[0] != letter:
        return before + after[0] + letter + after[1:]
    if slip == "doubled":
        return before + letter * 2 + after
    return before + random.choice(_NEIGHBOURS[letter]) + after
