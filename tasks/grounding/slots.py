"""Words that cannot be exchanged: a number, unit, month, name, limit, duty or quantifier.

Each has a sort, and the answer must fill a slot as the passage does. The passage's slot for
a word of the answer is found by what stands around it, so clauses may be moved about and a
figure that the passage gives for something else is found out.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from tasks.grounding.claims import NEGATIONS, canonical, content_sequence, is_function, normal, stem
from tasks.grounding.units import Passage, Unit, parse_passage
from tasks.text.words import word_set

_TOKEN = re.compile(r"[^\W_]+(?:[.,:/@'’\-][^\W_]+)*|[$€£%°]|[.!?;]")

# Words around a slot that tell which slot it is.
_REACH = 6

# Words up to which an answer says too little to be placed without its question.
_SHORT = 4

_MODALS = {
    "must": "duty",
    "shall": "duty",
    "required": "duty",
    "obliged": "duty",
    "mandatory": "duty",
    "should": "advice",
    "recommended": "advice",
    "advised": "advice",
    "may": "choice",
    "can": "choice",
    "could": "choice",
    "might": "choice",
    "allowed": "choice",
    "permitted": "choice",
    "optional": "choice",
}
_LIMITS = {
    "least": "at least",
    "minimum": "at least",
    "most": "at most",
    "maximum": "at most",
    "more": "more",
    "over": "more",
    "above": "more",
    "exceeding": "more",
    "longer": "more",
    "less": "less",
    "fewer": "less",
    "under": "less",
    "below": "less",
    "shorter": "less",
}
_ORDERINGS = {
    "before": "before",
    "prior": "before",
    "earlier": "before",
    "until": "before",
    "within": "within",
    "after": "after",
    "following": "after",
    "later": "after",
    "since": "after",
}
_QUANTIFIERS = {
    "all": "all",
    "every": "all",
    "each": "all",
    "any": "any",
    "some": "some",
    "several": "some",
    "few": "some",
    "most": "most",
    "many": "some",
    "none": "none",
    "both": "both",
    "always": "always",
    "usually": "usually",
    "generally": "usually",
    "normally": "usually",
    "typically": "usually",
    "often": "usually",
    "sometimes": "sometimes",
    "occasionally": "sometimes",
    "rarely": "rarely",
    "seldom": "rarely",
    "never": "never",
    "only": "only",
}
_UNITS = {
    "time": "second minute hour day night week fortnight month quarter year decade",
    "length": "millimetre centimetre metre kilometre meter inch foot feet yard mile km mm",
    "mass": "gram kilogram kg tonne ton pound ounce stone",
    "volume": "litre liter millilitre gallon pint",
    "money": "usd eur gbp chf cent",
    "heat": "celsius fahrenheit kelvin",
    "data": "kilobyte megabyte gigabyte terabyte kb mb gb tb",
}
_UNIT_SORTS = {stem(word): sort for sort, words in _UNITS.items() for word in words.split()}
_MONTHS = word_set(
    "january february march april may june july august september october november december"
)
_WEEKDAYS = word_set("monday tuesday wednesday thursday friday saturday sunday")


@dataclass(frozen=True)
class Slot:
    """One word that cannot be exchanged.

    Attributes:
        sort: What may stand there.
        value: What does.
        word: The word as it stands in the text.
        near: Stems around it.
        unit: Stems of the whole sentence, item or row.
    """

    sort: str
    value: str
    word: str
    near: frozenset[str]
    unit: frozenset[str]


def slots(text: str, around: frozenset[str] = frozenset()) -> Iterator[Slot]:
    """Yield the slots of a text.

    Args:
        text: One sentence or phrase.
        around: Further stems that belong to each slot's surroundings.
    """
    words = _TOKEN.findall(canonical(text))
    normals = [normal(word) for word in words]
    whole = frozenset(content_sequence(text)) | around
    for position, word in enumerate(normals):
        for sort, value in _sorts(words, normals, position):
            own = {stem(word)}
            window = normals[max(0, position - _REACH) : position + _REACH + 1]
            near = frozenset(stem(w) for w in window if w[:1].isalnum() and not is_function(w))
            yield Slot(sort, value, words[position], (near | around) - own, whole - own)


def _sorts(
    words: Sequence[str], normals: Sequence[str], position: int
) -> Iterator[tuple[str, str]]:
    word = normals[position]
    before = normals[position - 1] if position else ""
    after = normals[position + 1 : position + 4]
    if re.fullmatch(r"\d+(?:[.:]\d+)*", word):
        yield "number", word
    singular = stem(word)
    if singular in _UNIT_SORTS:
        yield f"unit of {_UNIT_SORTS[singular]}", singular
    if word in _WEEKDAYS or word.removesuffix("s") in _WEEKDAYS:
        yield "weekday", word.removesuffix("s")
    if word in _MONTHS and words[position][0].isupper():
        yield "month", word
    if word in _MODALS and not (word == "may" and words[position][0].isupper() and position):
        negated = any(
            w in NEGATIONS or w.endswith("n't")
            for w in normals[max(0, position - 1) : position + 2]
        )
        yield "duty", ("not " if negated else "") + _MODALS[word]
    if word in _LIMITS and _is_limit(before, word, after):
        turned = before in NEGATIONS
        yield "limit", _TURNED[_LIMITS[word]] if turned else _LIMITS[word]
    elif word in _QUANTIFIERS:
        yield "quantity", _QUANTIFIERS[word]
    if word in _ORDERINGS:
        yield "order in time", _ORDERINGS[word]


_TURNED = {"more": "at most", "less": "at least", "at least": "less", "at most": "more"}


def _is_limit(before: str, word: str, after: Sequence[str]) -> bool:
    if word in ("least", "most"):
        return before == "at"
    if word in ("minimum", "maximum"):
        return True
    return "than" in after[:2] or (bool(after) and after[0][0].isdigit())


@lru_cache(maxsize=256)
def _passage_slots(passage: Passage) -> tuple[Slot, ...]:
    return tuple(slot for unit in passage.units for slot in _unit_slots(unit))


def _unit_slots(unit: Unit) -> Iterator[Slot]:
    """Yield the slots of a unit and of its lead; a cell's surroundings are its column's name."""
    if unit.header:
        for name, cell in zip(unit.header, unit.cells, strict=True):
            named = frozenset(content_sequence(name))
            for slot in slots(cell, named):
                yield replace(slot, unit=unit.words)
            for slot in slots(name, frozenset(content_sequence(cell))):
                yield replace(slot, unit=unit.words)
        return
    for slot in slots(unit.text):
        yield replace(slot, unit=slot.unit | (unit.words - unit.own_words))
    for slot in slots(unit.lead):
        yield replace(slot, unit=slot.unit | unit.own_words)


def exchanged(question: str, answer: str, passage: Passage) -> str | None:
    """Return what an answer says in a slot that the passage fills with something else.

    Args:
        question: The question; what it names tells the slot of a short answer.
        answer: The answer.
        passage: The passage.

    Returns:
        A sentence about the first such slot, or None.
    """
    short = len(content_sequence(answer)) <= _SHORT
    asked = frozenset(content_sequence(question)) if short else frozenset()
    known = _passage_slots(passage)
    pieces = [piece for unit in parse_passage(answer).units for piece in unit.text.split(";")]
    for slot in (slot for piece in pieces for slot in slots(piece, asked)):
        other = _better(slot, [k for k in known if k.sort == slot.sort], passage, short)
        if other is not None:
            return f"It says {slot.word!r} where the passage says {other.word!r} ({slot.sort})."
    return None


def _better(slot: Slot, known: Sequence[Slot], passage: Passage, short: bool) -> Slot | None:
    """Return the passage's slot that fits clearly better than any of the same value."""
    if not known:
        return None

    def fit(other: Slot) -> float:
        near = 0.0 if short else passage.weight(slot.near & other.near)
        return near + passage.weight(slot.unit & other.unit)

    best = max(known, key=fit)
    same = max((fit(k) for k in known if k.value == slot.value), default=0.0)
    shared = slot.unit & best.unit
    if best.value == slot.value or len(shared) < 2:
        return None
    return best if fit(best) > max(1.2 * same, same + 0.8) else None
