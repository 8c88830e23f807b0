"""Answers found in sentences by rules: an amount, a duration, a date."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from tasks.generation.base import ChunkView
from tasks.generation.grammar import in_sentence, parse_clause
from tasks.generation.passage import Span
from tasks.generation.patterns import ask_about
from tasks.generation.vocabulary import (
    AUXILIARIES,
    CLAUSE_WORDS,
    NUMBER,
    PREPOSITIONS,
    PRONOUNS,
)
from tasks.generation.wording import points_elsewhere
from tasks.grounding.claims import content_sequence

Sort = Literal["count", "money", "often", "duration", "date"]

_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
_TIME = r"(?:working |calendar |business )?(?:second|minute|hour|day|night|week|month|year)s?"

# In this order: what an earlier pattern takes, a later one does not see.
_PATTERNS: tuple[tuple[Sort, re.Pattern[str]], ...] = (
    (
        "date",
        re.compile(
            rf"\b\d{{1,2}} (?:{_MONTHS})(?: \d{{4}})?\b|\b(?:{_MONTHS}) \d{{1,2}}(?:, \d{{4}})?\b|"
            rf"\b(?:{_MONTHS}) \d{{4}}\b|\b(?:19|20)\d\d\b"
        ),
    ),
    ("money", re.compile(r"\b(?:EUR|USD|GBP) ?\d[\d,.]*\b|[$€£]\d[\d,.]*\b")),
    ("often", re.compile(rf"\bevery (?:{NUMBER}) {_TIME}\b")),
    ("duration", re.compile(rf"\b(?:{NUMBER}) {_TIME}\b")),
    ("count", re.compile(rf"\b(?:{NUMBER}) [a-z]{{3,}}s\b")),
)

# Sentences whose fact holds under a condition that a question would lose.
_CONDITIONAL = re.compile(
    r"\b(?:if|unless|because|although|while|when|whether|only|otherwise|than|for example)\b",
    re.IGNORECASE,
)

_SHORTEST, _LONGEST = 6, 22  # words


@dataclass(frozen=True)
class Target:
    """A sentence and the answer in it that a question is wanted for."""

    sentence: Span
    answer: str
    start: int  # of the answer in the sentence's text
    sort: Sort

    def fits(self, question: str) -> bool:
        """Whether a question's opening asks for an answer of this sort."""
        return re.match(self._opening(), question.lower()) is not None

    def _opening(self) -> str:
        noun = re.escape(self.answer.split()[-1].rstrip("s"))
        count = rf"(?:at least |at most |up to |within |after |for )?how many (?:\w+ )?{noun}"
        return {
            "date": r"(?:by |since |until |from )?when\b|(?:in |on )?what (?:year|date)\b",
            "money": r"how much\b",
            "often": r"how often\b",
            "duration": rf"(?:for )?how long\b|{count}",
            "count": count,
        }[self.sort]

    @property
    def distinctive(self) -> set[str]:
        """Words that give the answer away: all but the noun that is counted."""
        words = content_sequence(self.answer)
        return set(words[:1] if self.sort in ("count", "duration") else words)


def find_target(chunk: ChunkView) -> Target | None:
    """Return the first usable answer in a chunk, or None."""
    return next(_targets(chunk), None)


def _targets(chunk: ChunkView) -> Iterator[Target]:
    for sentence in chunk.statements():
        if not _is_plain(sentence.text) or not _needs_model(sentence.text, chunk.document):
            continue
        spans = list(_spans(sentence.text))
        if len(spans) == 1:
            sort, start, end = spans[0]
            yield Target(sentence, sentence.text[start:end], start, sort)


def _spans(text: str) -> Iterator[tuple[Sort, int, int]]:
    taken: list[tuple[int, int]] = []
    for sort, pattern in _PATTERNS:
        for match in pattern.finditer(text):
            if not any(match.start() < end and start < match.end() for start, end in taken):
                taken.append(match.span())
                yield sort, *match.span()


def _is_plain(text: str) -> bool:
    """Whether a sentence is a statement that stands on its own."""
    words = text.split()
    if not _SHORTEST <= len(words) <= _LONGEST or not text.endswith("."):
        return False
    if re.search(r"[;:\"“”()!?/@]|https?|\d-\d", text) or _CONDITIONAL.search(text):
        return False
    first = words[0].lower().strip(",")
    if first in PRONOUNS | PREPOSITIONS | CLAUSE_WORDS | AUXILIARIES or points_elsewhere(text):
        return False
    return words[0][0].isupper()


def _needs_model(text: str, document: str) -> bool:
    """Whether a sentence is a statement that the rules of `patterns` make no question of."""
    clause = parse_clause(in_sentence(text, document))
    return clause is not None and ask_about(clause) is None
