"""What a text claims, in the pieces that can be compared: words, numbers, names, negations."""

import re
from collections.abc import Iterator
from functools import lru_cache

from tasks.text.words import (
    AUXILIARIES,
    CLAUSE_WORDS,
    DETERMINERS,
    PREPOSITIONS,
    PRONOUNS,
    word_set,
)

_TOKEN = re.compile(r"[A-Za-z0-9]+(?:[.,:/@'’\-][A-Za-z0-9]+)*|[$€£%]")

_FUNCTION = (
    PRONOUNS
    | DETERMINERS
    | PREPOSITIONS
    | CLAUSE_WORDS
    | AUXILIARIES
    | word_set("and or be been being do does did yes also just very am their theirs")
)

NEGATIONS = word_set("not no never none nobody nothing neither nor cannot without")

# Words without which a statement says more than it did.
_RESTRICTIONS = word_set("only until unless except solely")

# Ends of the pieces in which a negation or restriction is looked for.
_CLAUSE_END = re.compile(r"(?<=[.!?;:])\s+|\n")

# Shares of a sentence that an answer repeats: a shorter answer may leave a clause out, and
# its negation or restriction with it.
_MOST_OF_IT, _NEARLY_ALL = 0.6, 0.8

_UNTIL_TWENTY = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen twenty"
)
_TENS = "thirty forty fifty sixty seventy eighty ninety hundred"
_VALUES = {word: str(value) for value, word in enumerate(_UNTIL_TWENTY.split())} | {
    word: str(value) for value, word in zip(range(30, 101, 10), _TENS.split(), strict=True)
}

_CURRENCIES = {
    "$": "usd",
    "€": "eur",
    "£": "gbp",
    "usd": "usd",
    "eur": "eur",
    "gbp": "gbp",
    "dollar": "usd",
    "euro": "eur",
    "pound": "gbp",
    "%": "percent",
}

# Words that turn a number round: at least 5, at most 5, before 5.
_BOUNDS = word_set(
    "least most more less fewer than to over under above below before after "
    "within until by from minus"
)

_STEM = re.compile(r"(?:ies|ied|ing|ed|es|s|ly|'s|’s)$")


# Ways to say the same bound. "No fewer than" is no negation.
_PHRASES = (
    (re.compile(r"\b(?:no|not) (?:fewer|less) than\b|\ba minimum of\b", re.IGNORECASE), "at least"),
    (re.compile(r"\b(?:no|not) more than\b|\bup to\b|\ba maximum of\b", re.IGNORECASE), "at most"),
    (re.compile(r"\b(?:no|not) later than\b", re.IGNORECASE), "by"),
    (re.compile(r"\bprior to\b", re.IGNORECASE), "before"),
    (re.compile(r"\bfollowing(?= (?:the|a|an|your|each|every|\d))", re.IGNORECASE), "after"),
    (re.compile(r"\bper cent\b", re.IGNORECASE), "percent"),
    (re.compile(r"\b(?:can not|can't|can’t)\b", re.IGNORECASE), "cannot"),
)


def canonical(text: str) -> str:
    """Return a text with one wording for bounds that have several."""
    for pattern, wording in _PHRASES:
        text = pattern.sub(wording, text)
    return text


def tokens(text: str) -> list[str]:
    """Return words and numbers in lower case, numbers without thousands separators."""
    return [normal(match[0]) for match in _TOKEN.finditer(canonical(text))]


def normal(token: str) -> str:
    """Return one word or number in its normal form."""
    token = token.lower().replace("’", "'")
    if re.fullmatch(r"\d[\d,]*(?:\.\d+)?", token):
        return token.replace(",", "")
    token = _CURRENCIES.get(token, token)
    return _VALUES.get(token, token)


def is_function(word: str) -> bool:
    """Whether a word carries no meaning of its own."""
    return word in _FUNCTION


def stem(word: str) -> str:
    """Return a word without its commonest endings."""
    if len(word) <= 3 or word[0].isdigit():
        return word
    cut = _STEM.sub("", word)
    return cut.rstrip("e") if len(cut) >= 3 else word


def content_sequence(text: str) -> list[str]:
    """Return the stems of the words that carry meaning, in order."""
    return [stem(word) for word in tokens(text) if word not in _FUNCTION | NEGATIONS]


def answer_words(text: str) -> set[str]:
    """Return the stems that can make an answer, numbers and negations included."""
    return {stem(word) for word in tokens(text) if word not in _FUNCTION}


def numbers(text: str) -> list[tuple[str, str, str]]:
    """Return each number with what binds it: the bound before it and the unit beside it."""
    text = canonical(text)
    matches = list(_TOKEN.finditer(text))
    found = []
    for position, match in enumerate(matches):
        value = normal(match[0])
        if not value[0].isdigit():
            continue
        before, earlier = (_neighbour(text, matches, position, -n) for n in (1, 2))
        after = _neighbour(text, matches, position, 1)
        if before in _CURRENCIES.values():
            before, after = earlier, before
        bound = before if before in _BOUNDS else ""
        found.append((value, bound, stem(_CURRENCIES.get(after.rstrip("s"), after))))
    return found


def _neighbour(text: str, matches: list[re.Match[str]], position: int, step: int) -> str:
    """Return the word `step` places away, unless punctuation stands in between."""
    other = position + step
    if not 0 <= other < len(matches):
        return ""
    first, last = sorted((matches[position], matches[other]), key=lambda m: m.start())
    between = text[first.end() : last.start()]
    return normal(matches[other][0]) if not re.search(r"[.,;:()|\n]", between) else ""


def missing_number(answer: str, passage: str) -> str | None:
    """Return the first number of the answer that the passage does not give in that way."""
    known = numbers(passage)
    for value, bound, unit in numbers(answer):
        same = [n for n in known if n[0] == value]
        with_bound = [n for n in same if not bound or n[1] == bound]
        if not any(_same_unit(unit, n[2]) for n in with_bound):
            return " ".join(part for part in (bound, value, unit) if part)
    return None


def _same_unit(unit: str, other: str) -> bool:
    return not unit or unit in _FUNCTION or unit[0].isdigit() or unit == other


def missing_names(text: str, passage: str) -> str | None:
    """Return the first capitalised word of a text that the passage does not hold."""
    known = {stem(word) for word in tokens(passage)}
    known |= {stem(part) for word in tokens(passage) for part in re.split(r"[-/@.:']", word)}
    for word in _capitalised(text):
        lowered = normal(word)
        parts = [stem(part) for part in re.split(r"[-/']", lowered) if part]
        if lowered not in _FUNCTION | NEGATIONS and not set(parts) <= known:
            return word
    return None


# Words that open questions and answers; capital letters there name nothing.
_OPENERS = word_set(
    "according fill list name explain describe complete summarise summarize what which who how "
    "when where why in within by at up until since does do did is are"
)


def _capitalised(text: str) -> Iterator[str]:
    for match in _TOKEN.finditer(canonical(text)):
        word = match[0]
        if word[0].isupper() and word.lower() not in _OPENERS and len(word) > 1:
            yield word


def negation_differs(answer: str, passage: str) -> str | None:
    """Return the passage's sentence whose negation the answer adds or leaves out."""
    for sentence, source, covered in _said_beside(answer, passage):
        words = set(content_sequence(sentence))
        ours, theirs = _negations(sentence), _negations_about(words, source)
        if ours > theirs and not is_yes_no(sentence):
            return source
        if ours < theirs and covered >= _MOST_OF_IT:
            return source
    return None


def restriction_dropped(answer: str, passage: str) -> str | None:
    """Return the passage's sentence that restricts what the answer says without restriction."""
    for sentence, source, covered in _said_beside(answer, passage):
        ours, theirs = (_restrictions(text) for text in (sentence, source))
        if ours < theirs and covered >= _NEARLY_ALL:
            return source
    return None


@lru_cache(maxsize=64)  # two checks ask it of each row
def _said_beside(answer: str, passage: str) -> tuple[tuple[str, str, float], ...]:
    """Return the answer's sentences, the passage's nearest to each, and its share repeated."""
    sources = [s for s in _CLAUSE_END.split(passage) if s]
    found = []
    for sentence in _CLAUSE_END.split(answer):
        words = set(content_sequence(sentence))
        if len(words) < 2 or not sources:
            continue
        nearest = max(sources, key=lambda source: _overlap(words, source))
        there = set(content_sequence(nearest))
        found.append((sentence, nearest, len(words & there) / max(1, len(there))))
    return tuple(found)


def _overlap(words: set[str], source: str) -> float:
    other = set(content_sequence(source))
    return len(words & other) / len(words) + 0.001 * len(words & other) / max(1, len(other))


def _negations(text: str) -> int:
    return sum(word in NEGATIONS or word.endswith("n't") for word in tokens(text))


def _restrictions(text: str) -> int:
    return sum(word in _RESTRICTIONS for word in tokens(text))


def _negations_about(words: set[str], source: str) -> int:
    """Count the negations of a source that bear on any of these words.

    A clause that an answer leaves out takes its negation along.
    """
    found, sequence = 0, tokens(source)
    for position, word in enumerate(sequence):
        if word in NEGATIONS or word.endswith("n't"):
            after = [stem(w) for w in sequence[position + 1 :] if not is_function(w)][:2]
            found += not after or bool(words & set(after))
    return found


def is_yes_no(answer: str) -> bool:
    """Whether an answer begins with yes or no."""
    return re.match(r"(?:yes|no)\b", answer, re.IGNORECASE) is not None
