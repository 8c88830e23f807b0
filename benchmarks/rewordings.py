"""Right rows in other words, by rule: they must not be mistaken for wrong ones."""

import random
import re
from collections.abc import Callable
from dataclasses import replace

from benchmarks.row_stock import Row, Stock

_SYNONYMS = {
    "must": "has to",
    "begin": "start",
    "begins": "starts",
    "purchase": "buy",
    "assist": "help",
    "ensure": "make sure",
    "provide": "give",
    "provides": "gives",
    "receive": "get",
    "receives": "gets",
    "complete": "finish",
    "utilize": "use",
    "submit": "send",
    "before": "prior to",
    "after": "following",
    "at least": "no fewer than",
    "at most": "no more than",
    "per cent": "percent",
    "require": "need",
    "requires": "needs",
    "approximately": "about",
    "prior to": "before",
    "allows": "lets",
    "contact": "reach",
    "attend": "go to",
    "cannot": "can not",
    "do not": "don't",
    "is not": "isn't",
    "each": "every",
    "should": "ought to",
}
_WORDS = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
]


def _synonyms(row: Row, chance: random.Random) -> str | None:
    found = [
        (match, new)
        for old, new in _SYNONYMS.items()
        for match in re.finditer(rf"(?<!\w){old}(?!\w)", row.answer)
    ]
    if not found:
        return None
    match, new = chance.choice(found)
    return row.answer[: match.start()] + new + row.answer[match.end() :]


def _clauses(row: Row, chance: random.Random) -> str | None:
    """Put the first clause last."""
    match = re.fullmatch(
        r"(?P<a>(?:If|When|Before|After|In|At|During|To|For|Once|Until) [^,;.:]{4,80}), "
        r"(?P<b>[^;.:]{10,200})\.",
        row.answer,
    )
    if match is None:
        return None
    a, b = match["a"], match["b"]
    return f"{b[0].upper()}{b[1:]} {a[0].lower()}{a[1:]}."


def _passive(row: Row, chance: random.Random) -> str | None:
    """Turn "X is reviewed by Y" into "Y reviews X"."""
    match = re.fullmatch(
        r"(?P<a>[\w' -]{3,60}) (?:is|are|was|were) (?P<verb>\w+)ed by (?P<b>[\w' -]{3,60})\.",
        row.answer,
    )
    if match is None or " not " in row.answer:
        return None
    a, b = match["a"], match["b"]
    return f"{b[0].upper()}{b[1:]} {match['verb']}ed {a[0].lower()}{a[1:]}."


def _shortened(row: Row, chance: random.Random) -> str | None:
    """Leave out what follows `which`, `because` or `so that`, or the last sentence of three."""
    match = re.search(
        r",? (?:(?:in |of |on |for )?which|because|so that|including|such as) [^.;:]*(?=\.$)",
        row.answer,
    )
    if match and len(row.answer[: match.start()].split()) >= 6:
        return row.answer[: match.start()] + "."
    pieces = re.split(r"(?<=[a-z]\.) (?=[A-Z])", row.answer)
    return " ".join(pieces[:-1]) if len(pieces) >= 3 else None


def _numerals(row: Row, chance: random.Random) -> str | None:
    match = re.search(rf"\b(?:{'|'.join(_WORDS[2:])})(?= [a-z])", row.answer)
    if match:
        return row.answer.replace(match[0], str(_WORDS.index(match[0])), 1)
    digit = re.search(r"(?<![\d.,/:$€£-])\b(?:[2-9]|1[0-2])(?= [a-z]{3})", row.answer)
    if digit is None:
        return None
    return row.answer[: digit.start()] + _WORDS[int(digit[0])] + row.answer[digit.end() :]


REWORDINGS: dict[str, Callable[[Row, random.Random], str | None]] = {
    "synonym": _synonyms,
    "clauses moved": _clauses,
    "active for passive": _passive,
    "shortened": _shortened,
    "numeral": _numerals,
}


def right_rows(stock: Stock, plain: int, per_rewording: int, seed: int) -> list[Row]:
    """Return rows as the rules made them, and reworded ones."""
    chance = random.Random(f"{seed} right")
    found = chance.sample(stock.rows, min(plain, len(stock.rows)))
    for name, reword in REWORDINGS.items():
        rows = chance.sample(stock.rows, len(stock.rows))
        answers = [(row, reword(row, chance)) for row in rows]
        reworded = [replace(r, answer=a, wording=name) for r, a in answers if a and a != r.answer]
        found += reworded[:per_rewording]
    return found
