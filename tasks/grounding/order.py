"""Who does what to whom, and which step comes first: the same words in another order."""

import re
from collections.abc import Sequence
from itertools import pairwise

from tasks.grounding.claims import content_sequence
from tasks.grounding.units import Passage, split_sentences
from tasks.text.markup import plain

_STEP = re.compile(r"^\s*\d{1,3}[.)]\s+(?P<text>\S.*)$", re.MULTILINE)

# Share of the words of answer and source that must agree before their order is compared.
_SAME_WORDS = 0.8


def disordered_steps(answer: str, passage: str) -> str | None:
    """Return the numbered step of an answer that comes earlier in the passage than the one before.

    Args:
        answer: The answer; only its numbered lines are looked at.
        passage: The passage as it stands, without markup.
    """
    known = " ".join(content_sequence(passage))
    steps = [plain(match["text"]) for match in _STEP.finditer(answer)]
    places = [(known.find(" ".join(content_sequence(step))), step) for step in steps]
    found = [(place, step) for place, step in places if place >= 0]
    for (earlier, _), (later, step) in pairwise(found):
        if later < earlier:
            return step
    return None


def swapped_roles(answer: str, passage: Passage) -> str | None:
    """Return the sentence of the passage whose two sides an answer exchanges.

    "A approves B" and "B approves A" have the same words. A sentence and its passive form
    have exchanged sides rightly: they differ in `by`.
    """
    for sentence in split_sentences(answer):
        words = content_sequence(sentence)
        source = passage.nearest(frozenset(words))
        if source is None or len(set(words)) < 3 or len(words) != len(set(words)):
            continue
        there = content_sequence(source.text)
        same = set(words) & set(there)
        if len(same) < _SAME_WORDS * len(set(words) | set(there)):
            continue
        if _has_by(sentence) == _has_by(source.text) and _exchanged(
            [w for w in words if w in same], [w for w in there if w in same]
        ):
            return source.text
    return None


def _has_by(text: str) -> bool:
    return re.search(r"\bby\b", text, re.IGNORECASE) is not None


def _exchanged(ours: Sequence[str], theirs: Sequence[str]) -> bool:
    """Whether two runs of words changed places around a word in between."""
    place = {word: position for position, word in reversed(list(enumerate(theirs)))}
    order = [place[word] for word in ours]
    breaks = [i for i, (a, b) in enumerate(pairwise(order), 1) if b != a + 1]
    if not 1 <= len(breaks) <= 2:
        return False
    blocks = [order[a:b] for a, b in pairwise([0, *breaks, len(order)])]
    turned = [block[0] for block in blocks]
    return len(blocks) == 3 and turned == sorted(turned, reverse=True)
