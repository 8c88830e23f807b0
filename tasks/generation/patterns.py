"""Questions made of statements by pattern: number, price, frequency, date, agent, subject.

Each pattern takes a clause and gives a question, or None where it is not sure of its grammar.
"""

import re
from collections.abc import Callable

from tasks.generation.grammar import Clause, cut_joined, is_third_person
from tasks.generation.vocabulary import (
    AUXILIARIES,
    BE,
    CLAUSE_WORDS,
    DATE,
    DETERMINERS,
    NUMBER,
    PREPOSITIONS,
    word_set,
)
from tasks.generation.wording import content_words, points_elsewhere

_UNIT = (
    r"(?:calendar |business |working |full |consecutive |additional )*"
    r"(?:second|minute|hour|day|night|week|month|year|pay period|business day)s?"
)
_DAY = r"(?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)s?"
_MONEY = r"(?:(?:EUR|USD|GBP) ?|[$€£])\d[\d,]*(?:\.\d+)?"

_WITHIN = re.compile(
    rf"\bwithin (?P<n>{NUMBER}) (?P<unit>{_UNIT})(?P<of> (?:of|after|from|before) [^,;]+)?$"
)
_COUNT = re.compile(
    rf"^(?P<verb>[a-z]+ (?:over |up |out )?)?(?P<bound>at least |at most |up to |no more than |"
    rf"a maximum of |a minimum of |about |only |exactly |around )?(?P<n>{NUMBER}) (?P<noun>.+)$"
)
_MEASURE = re.compile(
    rf"^(?:only |about )?(?P<n>{NUMBER}) (?P<unit>metres?|meters?|kilometres?|centimetres?|miles?|"
    r"feet|inches|years?|months?) (?P<adjective>wide|long|high|deep|tall|old|away)\b(?P<tail>.*)$"
)
_PRICE = re.compile(rf"^(?:only |about |up to )?{_MONEY}(?P<tail>.*)$")
_SEASON = r"(?:spring|summer|autumn|winter|quarter|season)"
_OFTEN = re.compile(
    rf"\b(?:every (?:{NUMBER} |other )?(?:{_UNIT}|{_SEASON})|every {_DAY}|"
    rf"(?:once|twice|{NUMBER} times) (?:a|per|each|every) (?:{NUMBER} )?(?:{_UNIT}|{_SEASON}))\b"
)
_WHEN = re.compile(
    r"\b(?P<how>on|by|until|since|before|after|in|from) "
    rf"(?P<date>(?:the )?{DATE}|(?:19|20)\d\d(?=$| )|{_DAY})"
    rf"(?: (?:to|until|and) (?:{DATE}|{_DAY}))?"
)
_BOUND_LEFT = re.compile(r"\b(?:at least|at most|up to)\b|\b(?:about|only|around)$")
_TIME_LEFT = re.compile(rf"\b(?:at|by|until|towards) the (?:end|start|beginning)\b|{DATE}|{_DAY}")
_AGENT = re.compile(r"\bby (?P<who>(?:the|your|a|an) [a-z][\w \-]*|[A-Z][\w.]+(?: [A-Z][\w.]+)*)$")

_PEOPLE = re.compile(
    r"(managers?|officers?|directors?|heads?|desk|teams?|department|committee|council|masters?|"
    r"supervisors?|chief|board|office|crew|staff|lead|leads|leadership|administrator|secretary|"
    r"engineers?|purser|stewards?|captain|controller|employees?|division|agency|company|operator|"
    r"trainer|editor|owner|doctor|nurse|coordinator|partner|director|member|members|group)"
)

_COUNT_VERBS = word_set(
    "have hold last take weigh need require contain carry receive get earn accrue buy use reach"
)

# Heads of noun phrases that only look like people: "the Office of Consulting Handbook".
_PAPER = word_set("handbook guide policy form page site tool system program plan website list")

# Groups that a reader cannot tell from others of their kind.
_NOBODY = re.compile(
    r"(?:the|a|an|this|our) (?:\w+ )?(?:team|group|office|company|agency|member)s?"
)

_NO_DEEDS = word_set("include contain consist allow enable let")  # things do them too

_LONGEST_REST = 20  # words of a predicate that a question can hold

Ask = Callable[[Clause], str | None]


def ask_about(clause: Clause) -> str | None:
    """Return the question that the first fitting pattern makes of a clause, or None."""
    if points_elsewhere(clause.subject) or not _is_cut_clean(clause.rest):
        return None
    if clause.subject.lower().startswith("other "):
        return None  # other than what?
    for pattern in _PATTERNS:
        question = pattern(clause)
        if question is not None and _is_one_clause(question) and not points_elsewhere(question):
            return question[0].upper() + question[1:]
    return None


def _is_cut_clean(rest: str) -> bool:
    """Whether what a comma cuts off is a clause of its own, no further item or adjective."""
    cut = cut_joined(rest)
    after = rest[rest.find(cut) + len(cut) :]
    if after.lstrip()[:1] in ("–", "—"):
        return False  # the clause may go on after what the dashes hold
    words = after.removeprefix(", ").split()
    if not after.startswith(", ") or not words:
        return not after.startswith(" (") or after.find(")") >= len(after) - 2
    first, second = words[0].lower(), words[1].lower() if len(words) > 1 else ""
    joined = first in ("and", "but", "or") and (second in AUXILIARIES or is_third_person(second))
    return joined or first in CLAUSE_WORDS | {"including", "preferably", "usually", "depending"}


def _is_one_clause(question: str) -> bool:
    """Whether no second statement hangs on to the question: "... and there are two"."""
    if question.endswith(("only?", "also?")):
        return False
    words = question.lower().partition(" and ")[2].split()
    return not AUXILIARIES & set(words)


def _within(clause: Clause) -> str | None:
    rest = cut_joined(clause.rest)
    match = _WITHIN.search(rest)
    if match is None or re.search(r"\b(?:if|when|unless)\b", rest):
        return None
    wh = f"Within how many {_plural(match['unit'])}{match['of'] or ''}"
    return clause.ask(wh, rest[: match.start()].strip())


def _measure(clause: Clause) -> str | None:
    match = _MEASURE.match(cut_joined(clause.rest))
    if match is None or clause.verb not in ("is", "are", "was", "were"):
        return None
    return clause.ask(
        f"How many {_plural(match['unit'])} {match['adjective']}", match["tail"].strip()
    )


def _price(clause: Clause) -> str | None:
    rest = cut_joined(clause.rest)
    match = _PRICE.match(rest)
    if match is None or not (clause.verb in ("is", "are") or clause.base == "cost"):
        return None
    tail = re.split(r" and | or ", match["tail"].strip())[0]
    return clause.ask("How much", tail if tail.split(" ")[0] in ("per", "a", "an", "") else "")


def _count(clause: Clause) -> str | None:
    rest = cut_joined(clause.rest)
    match = _COUNT.match(rest)
    if match is None:
        return None
    verb = (match["verb"] or "").strip()
    if not (
        (clause.base in _COUNT_VERBS and not verb)
        or (
            verb.split(" ")[0] in _COUNT_VERBS
            and clause.verb in ("must", "can", "may", "should", "will", "could", "might")
        )
        or verb == "carry over"
    ):
        return None
    noun, tail = _split_noun(match["noun"])
    if clause.rest[len(rest) :].lstrip().startswith("("):
        return None  # what follows the bracket belongs to the noun
    if noun is None or (match["n"] in ("1", "one")):
        return None
    bound = {
        "at least": "At least how many",
        "up to": "Up to how many",
        "at most": "At most how many",
        "no more than": "At most how many",
        "a maximum of": "At most how many",
        "a minimum of": "At least how many",
    }
    wh = bound.get((match["bound"] or "").strip(), "How many")
    return clause.ask(f"{wh} {noun}", f"{verb} {tail}".strip())


def _split_noun(text: str) -> tuple[str | None, str]:
    """Cut "days of annual leave per year" into its noun with an of-phrase, and the rest."""
    words = text.split()
    end = 0
    while end < len(words) and words[end].lower() not in PREPOSITIONS | {
        "a",
        "an",
        "the",
        "each",
        "every",
        "and",
        "or",
    }:
        end += 1
    if end == 0 or end > 4 or not words[end - 1].endswith("s"):
        return None, ""
    if end < len(words) and words[end] == "of":
        stop = end + 1
        while stop < len(words) and words[stop].lower() not in PREPOSITIONS | {
            "every",
            "each",
            "a",
        }:
            stop += 1
        end = stop
    if end < len(words) and words[end] in ("and", "or"):
        return None, ""
    return " ".join(words[:end]), " ".join(words[end:])


def _often(clause: Clause) -> str | None:
    rest = cut_joined(clause.rest)
    match = _OFTEN.search(rest)
    if match is None or re.search(r"\d|" + _MONEY, rest[: match.start()]):
        return None
    if clause.verb in BE and rest.split()[0] in DETERMINERS:
        return None  # "is a contract that lets ... once a month": the time is not the clause's
    if match[0].startswith("every") and match.end() < len(rest):
        return None
    left = f"{rest[: match.start()].strip()} {rest[match.end() :].strip()}".strip()
    # a bound or a second time would be left hanging: "how often ... at least", "... in May"
    if _BOUND_LEFT.search(left) or _TIME_LEFT.search(left):
        return None
    return clause.ask("How often", left)


def _when(clause: Clause) -> str | None:
    rest = cut_joined(clause.rest)
    matches = list(_WHEN.finditer(rest))
    if len(matches) != 1 or re.search(r"\b(?:except|unless|only)\b", rest):
        return None
    match = matches[0]
    before, after = rest[: match.start()].strip(), rest[match.end() :].strip()
    if _OFTEN.search(rest) or before.startswith("to "):
        return None  # the day of what recurs, or the date of what is to be done
    if clause.verb in BE and rest.split()[0].lower() in DETERMINERS:
        return None  # "was a system that they bought in 2014": the date is not the clause's
    if after and after.split()[0] not in ("by", "at", "in", "for", "with", "to"):
        return None
    if not before and clause.verb in ("is", "are", "was", "were") and match["how"] == "in":
        return None
    wh = {"by": "By when", "until": "Until when", "since": "Since when"}.get(match["how"], "When")
    return clause.ask(wh, f"{before} {after}".strip())


def _agent(clause: Clause) -> str | None:
    rest = cut_joined(clause.rest)
    match = _AGENT.search(rest)
    if match is None or not re.search(
        r"\b\w+(?:ed|en|ne|de|wn|ught|ld|pt|id|ut|n)\b", rest[: match.start()]
    ):
        return None
    who = match["who"]
    before = rest[: match.start()].rstrip()
    if re.search(r"\bby\b|\bbeing\b|\bfor (?:\w+ )?\w+$", before):
        return None  # two agents, or a noun's: "approved by the board and sent for review by ..."
    if not (_PEOPLE.search(who) or re.fullmatch(r"[A-Z][a-z]+ [A-Z][a-z]+", who)):
        return None
    if clause.verb not in ("is", "are", "was", "were", "must", "can", "may", "should", "will"):
        return None
    return clause.ask("By whom", rest[: match.start()].strip())


def _subject(clause: Clause) -> str | None:
    """Ask who does something, where the subject is a person or an office."""
    rest = cut_joined(clause.rest)
    if not _is_agent(clause.subject) or clause.base in _NO_DEEDS:
        return None
    if _NOBODY.fullmatch(clause.subject.lower()) or {"its", "other"} & set(rest.split()):
        return None
    if len(content_words(rest) - {"you"}) < 3 or len(rest.split()) > _LONGEST_REST:
        return None
    if clause.rest.count(",") > 1 or re.search(rf"\b{NUMBER} and (?:a|an|the)\b", rest):
        return None  # a list cut short, or a second clause without its verb
    opening = rest.split()[:1]
    if not clause.base and (
        len(rest.split()) < 3 or opening[0] in ("a", "an", "not", "also", "the")
    ):
        return None
    if clause.base and clause.base != "have" and not clause.plural:
        return f"Who {clause.verb} {rest}?"
    if clause.verb in ("must", "should", "can", "may", "will"):
        return f"Who {clause.verb} {rest}?"
    return None


def names_people(phrase: str) -> bool:
    """Whether the head of a noun phrase in the plural is people: "owners of each section"."""
    head = re.split(rf" (?:{'|'.join(sorted(PREPOSITIONS))}) ", phrase)[0].split()[-1].lower()
    return head.endswith("s") and _PEOPLE.fullmatch(head.removesuffix("s")) is not None


def _is_agent(subject: str) -> bool:
    """Whether the head of a noun phrase is a person or an office."""
    if subject.split()[-1].lower() in _PAPER:
        return False
    head = re.split(rf" (?:{'|'.join(sorted(PREPOSITIONS))}) ", subject)[0]
    return _PEOPLE.fullmatch(head.split()[-1].lower()) is not None


_PATTERNS: tuple[Ask, ...] = (_within, _measure, _price, _count, _often, _when, _agent, _subject)


def _plural(unit: str) -> str:
    return unit if unit.endswith("s") or unit in ("feet", "inches") else unit + "s"
