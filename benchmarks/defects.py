"""The same rows made wrong on purpose.

What is put in (numbers, names, units, clauses) is taken from the documents themselves, not
from the lists that the checks use, so that a check is not tested with its own words.
"""

import calendar
import random
import re
from collections.abc import Callable
from dataclasses import replace

from benchmarks.row_stock import NAME, NUMBER, Row, Stock

_MONTHS = list(calendar.month_name)[1:]
_WEEKDAYS = list(calendar.day_name)


def _number(row: Row, stock: Stock, chance: random.Random) -> str | None:
    found = list(NUMBER.finditer(row.answer))
    if not found:
        return None
    match = chance.choice(found)
    others = [n for n in stock.numbers if len(n) == len(match[0]) and n != match[0]]
    return _put(row.answer, match, chance.choice(others)) if others else None


def _name(row: Row, stock: Stock, chance: random.Random) -> str | None:
    found = [m for m in NAME.finditer(row.answer) if m[0] not in _MONTHS + _WEEKDAYS]
    others = [n for n, document in stock.names if document != row.document]
    if not found:
        return None
    match = chance.choice(found)
    new = chance.choice(others)
    return _put(row.answer, match, new) if new.lower() not in row.passage.lower() else None


def _unit(row: Row, stock: Stock, chance: random.Random) -> str | None:
    match = re.search(r"(?<=\d )[a-z]{3,}\b|[$€£](?=\d)|\b(?:EUR|USD|GBP)\b", row.answer)
    if match is None:
        return None
    if not match[0].islower():
        return _put(row.answer, match, "EUR " if match[0] == "$" else "USD ")
    others = [u for u in stock.units if u[:4] != match[0][:4]]
    return _put(row.answer, match, chance.choice(others))


def _negation(row: Row, stock: Stock, chance: random.Random) -> str | None:
    taken = re.search(r"\b(?:not|never) ", row.answer)
    if taken:
        return _put(row.answer, taken, "")
    match = re.search(
        r"\b(?:is|are|was|were|must|may|can|should|will|has been|have been)(?= (?!not)[a-z])",
        row.answer,
    )
    return _put(row.answer, match, f"{match[0]} not") if match else None


def _clause(row: Row, stock: Stock, chance: random.Random) -> str | None:
    others = [s for s, document in stock.sentences if document != row.document]
    new = chance.choice(others).rstrip(".")
    joint = chance.choice([", and ", ", because ", ", unless ", ". "])
    new = new if joint == ". " else new[0].lower() + new[1:]
    return f"{row.answer.rstrip('.')}{joint}{new}."


_LIMITS = {
    "at least": "at most",
    "at most": "at least",
    "up to": "at least",
    "more than": "less than",
    "less than": "more than",
    "fewer than": "more than",
    "before": "after",
    "after": "before",
    "within": "after",
    "until": "from",
    "no later than": "no earlier than",
    "minimum": "maximum",
    "maximum": "minimum",
    "first": "last",
    "must": "may",
    "may": "must",
    "required": "optional",
    "should": "must",
    "all": "some",
    "every": "no",
    "always": "sometimes",
    "usually": "never",
    "only": "also",
    "daily": "weekly",
    "weekly": "monthly",
    "monthly": "yearly",
    "above": "below",
    "below": "above",
    "over": "under",
    "under": "over",
}


def _limit(row: Row, stock: Stock, chance: random.Random) -> str | None:
    found = [
        m
        for limit in _LIMITS
        for m in re.finditer(rf"(?<!\w){limit}(?!\w)", row.answer)
        if limit not in ("first", "within", "above", "below", "over", "under")
        or re.match(r" (?:\d|an? |one|two|three|four|five|ten)", row.answer[m.end() :])
    ]
    if not found:
        return None
    match = chance.choice(found)
    return _put(row.answer, match, _LIMITS[match[0]])


def _date(row: Row, stock: Stock, chance: random.Random) -> str | None:
    for words in (_MONTHS, _WEEKDAYS):
        match = re.search(rf"\b(?:{'|'.join(words)})\b", row.answer)
        if match:
            return _put(row.answer, match, chance.choice([w for w in words if w != match[0]]))
    year = re.search(r"\b(?:19|20)\d\d\b", row.answer)
    return (
        _put(row.answer, year, str(int(year[0]) + chance.choice((-2, -1, 1, 2)))) if year else None
    )


def _other_question(row: Row, stock: Stock, chance: random.Random) -> str | None:
    """Take the answer to another question on the same passage that shares no sentence."""
    others = [
        r.answer
        for r in stock.rows
        if r.passage == row.passage
        and r.question != row.question
        and not _shares(r.answer, row.answer)
    ]
    return chance.choice(others) if others else None


def _other_passage(row: Row, stock: Stock, chance: random.Random) -> str | None:
    others = [r.answer for r in stock.rows if r.kind == row.kind and r.document != row.document]
    new = chance.choice(others) if others else None
    return new if new is not None and new.lower() not in row.passage.lower() else None


def _roles(row: Row, stock: Stock, chance: random.Random) -> str | None:
    """Exchange who does and who is done to, in sentences with `by` or a plain verb."""
    match = re.fullmatch(
        r"(?P<a>(?:The |A |An |Each |All )?[\w' -]{3,40}?)"
        r"(?P<verb> (?:is|are|must be|can be|may be|should be) \w+ed by | "
        r"(?:manages?|informs?|approves?|reviews?|supports?|owns?|helps?|includes?|provides?|"
        r"contains?|creates?|leads?|represents?|replaces?|requires?|needs?|covers?) )"
        r"(?P<b>[\w' -]{3,60})\.",
        row.answer,
    )
    if match is None:
        return None
    a, b = match["a"], match["b"]
    return f"{b[0].upper()}{b[1:]}{match['verb']}{a[0].lower()}{a[1:]}."


def _order(row: Row, stock: Stock, chance: random.Random) -> str | None:
    """Exchange two steps of a procedure; the numbers stay where they are."""
    lines = row.answer.split("\n")
    steps = [i for i, line in enumerate(lines) if re.match(r"\d+[.)] ", line)]
    if row.kind != "procedure" or len(steps) < 3:
        return None
    a, b = sorted(chance.sample(steps, 2))
    (mark_a, text_a), (mark_b, text_b) = lines[a].split(" ", 1), lines[b].split(" ", 1)
    lines[a], lines[b] = f"{mark_a} {text_b}", f"{mark_b} {text_a}"
    return "\n".join(lines)


def _put(text: str, match: re.Match[str], new: str) -> str:
    return " ".join((text[: match.start()] + new + text[match.end() :]).split(" "))


def _shares(one: str, other: str) -> bool:
    def runs(text: str) -> set[tuple[str, ...]]:
        words = re.findall(r"\w+", text.lower())
        return set(zip(words, words[1:], words[2:], strict=False)) or {tuple(words)}

    short, long = sorted((one.lower(), other.lower()), key=len)
    return bool(runs(one) & runs(other)) or short in long


Defect = Callable[[Row, Stock, random.Random], str | None]

DEFECTS: dict[str, Defect] = {
    "changed number": _number,
    "changed name": _name,
    "changed unit": _unit,
    "changed negation": _negation,
    "invented clause": _clause,
    "changed limit or duty": _limit,
    "wrong date": _date,
    "answer of another question": _other_question,
    "answer from another passage": _other_passage,
    "swapped roles": _roles,
    "swapped steps": _order,
}


def wrong_rows(stock: Stock, per_defect: int, seed: int) -> list[Row]:
    """Return up to `per_defect` rows of each defect, no two from the same row."""
    found = []
    for name, defect in DEFECTS.items():
        chance = random.Random(f"{seed} {name}")
        count = 0
        for row in chance.sample(stock.rows, len(stock.rows)):
            answer = defect(row, stock, chance)
            if answer is not None and answer.strip() != row.answer and count < per_defect:
                found.append(replace(row, answer=answer.strip(), defect=name))
                count += 1
    return found
