"""A small grammar of English, enough to turn plain sentences into questions.

It knows closed word classes and a list of common verbs, no dictionary. It is strict: what
it does not understand it refuses, since a missing question costs less than a wrong one.
"""

import re
from dataclasses import dataclass

from tasks.generation.vocabulary import (
    AUXILIARIES,
    CLAUSE_WORDS,
    DETERMINERS,
    HAVE,
    NUMBER,
    PLURAL_AUXILIARIES,
    PREPOSITIONS,
    PRONOUNS,
    SINGULAR_AUXILIARIES,
    VERBS,
    is_order,
)

_WORD = re.compile(r"[^\s]+")
_NOUNISH = re.compile(r"^[\w$€£&/'’.\-+#%()“”\"]+$")


def third_person(base: str) -> str:
    """Return the -s form of a regular verb."""
    if base.endswith(("s", "sh", "ch", "x", "z", "o")):
        return base + "es"
    if base.endswith("y") and base[-2] not in "aeiou":
        return base[:-1] + "ies"
    return base + "s"


_BASE_OF = {third_person(base): base for base in VERBS}


def is_third_person(word: str) -> bool:
    """Whether a word is the -s form of a verb that the grammar knows."""
    return word in _BASE_OF


@dataclass(frozen=True)
class Clause:
    """A simple statement, cut at its finite verb.

    Attributes:
        subject: The noun phrase before the verb.
        verb: The finite verb as it stands.
        rest: What follows, without the full stop.
        auxiliary: What a question begins with after its question word: the verb itself
            if it is an auxiliary, else do or does.
        base: The verb's base form if it is no auxiliary, else the empty string.
    """

    subject: str
    verb: str
    rest: str
    auxiliary: str
    base: str

    @property
    def plural(self) -> bool:
        """Whether the subject takes a plural verb."""
        return is_plural(self.subject)

    def ask(self, wh: str, rest: str) -> str:
        """Return the question that begins with `wh` and keeps `rest` of the predicate."""
        parts = [wh, self.auxiliary, self.subject, self.base, rest]
        return " ".join(part for part in parts if part).strip(" ,;") + "?"


def is_plural(phrase: str) -> bool:
    """Guess the number of a noun phrase from its head."""
    head = re.split(rf"\s(?:{'|'.join(sorted(PREPOSITIONS))})\s", phrase)[0]
    words = head.split()
    first, last = words[0].lower(), words[-1].lower()
    if first in ("a", "an", "each", "every", "one"):
        return False
    if " and " in head or first in ("all", "most", "both", "you"):
        return True
    if head.split()[-1].isupper():
        return False  # an abbreviation: GSA, TTS
    return last.endswith("s") and not last.endswith(("ss", "us", "is"))


def is_noun_phrase(phrase: str, longest: int = 8) -> bool:
    """Whether a phrase looks like a plain noun phrase: no pronoun, no clause, no comma."""
    words = phrase.split()
    if not 1 <= len(words) <= longest or not all(_NOUNISH.match(word) for word in words):
        return False
    lowered = [word.lower().strip('()"“”') for word in words]
    if lowered[0] in PRONOUNS | PREPOSITIONS | CLAUSE_WORDS:
        return False
    if set(lowered) & (PRONOUNS | CLAUSE_WORDS | AUXILIARIES | {"not", "be", "been", "being"}):
        return False
    return lowered[-1] not in PREPOSITIONS | DETERMINERS | {"and", "or", "also", "only"}


def _is_subject(phrase: str, verb: str) -> bool:
    """Whether a phrase can be the subject of `verb`, judged by how it opens."""
    words = phrase.split()
    if phrase == "you":
        return True
    if not is_noun_phrase(phrase) or phrase.endswith("ly"):
        return False
    first = words[0].lower()
    if first in DETERMINERS - {"no", "both"} or is_number(words[0]):
        return len(words) > 1
    if any(word.lower() in DETERMINERS for word in words[1:2]):
        return False  # an imperative: "Press the button"
    if all(word[0].isupper() or word.lower() in ("of", "and", "the", "for") for word in words):
        return True  # a proper name
    return (
        is_plural(phrase)
        and len(words) <= 4
        and words[-1].endswith("s")
        and not first.endswith("ing")
    )


def is_number(word: str) -> bool:
    """Whether a word is a number in figures or letters."""
    return re.fullmatch(NUMBER, word.lower().strip("$€£%,")) is not None


def parse_clause(sentence: str) -> Clause | None:
    """Cut a statement at its finite verb, or return None if it is not a simple one.

    Args:
        sentence: As `in_sentence` gives it: a capital at its start is that of a name.
    """
    if not sentence.endswith(".") or sentence.count('"') % 2:
        return None
    text = sentence[:-1]
    for match in _WORD.finditer(text):
        word, subject = match[0], text[: match.start()].rstrip()
        if not subject or word in PREPOSITIONS:
            continue
        if word in AUXILIARIES:
            return _with_auxiliary(subject, word, text[match.end() :].strip())
        if word in _BASE_OF or word in VERBS:
            clause = _with_verb(subject, word, text[match.end() :].strip())
            if clause is not None:
                return clause
    return None


def _with_auxiliary(subject: str, verb: str, rest: str) -> Clause | None:
    if not rest or not _is_subject(subject, verb) or not _agrees(subject, verb):
        return None
    if verb in HAVE and rest.startswith("not "):
        return None
    if verb in HAVE and not _is_participle(rest.split()[0]):
        does = "did" if verb == "had" else "do" if verb == "have" else "does"
        return Clause(subject, verb, rest, does, "have")
    if _has_loose_verb(rest) or rest.startswith("not "):
        return None
    return Clause(subject, verb, rest, verb, "")


def _is_participle(word: str) -> bool:
    irregular = ("been", "become", "made", "taken", "given", "left", "set", "had", "seen", "built")
    return word.endswith("ed") or word in irregular


def _with_verb(subject: str, verb: str, rest: str) -> Clause | None:
    base = _BASE_OF.get(verb, verb)
    singular = verb in _BASE_OF
    if not rest or not _is_subject(subject, verb) or is_plural(subject) == singular:
        return None
    if rest.split()[0].lower() in AUXILIARIES | {"of", "and", "or"} or _has_loose_verb(rest):
        return None
    return Clause(subject, verb, rest, "does" if singular else "do", base)


def _agrees(subject: str, verb: str) -> bool:
    if verb in PLURAL_AUXILIARIES:
        return is_plural(subject) or subject == "you"
    if verb in SINGULAR_AUXILIARIES:
        return not is_plural(subject) and subject != "you"
    return True


def _has_loose_verb(rest: str) -> bool:
    """Whether a second finite auxiliary follows outside any subordinate or joined clause."""
    words = [word.lower() for word in rest.split()]
    for position, word in enumerate(words):
        if word.strip(",") in CLAUSE_WORDS | {"and", "or"} or words[position - 1].endswith(
            (",", ";")
        ):
            return False
        if word in AUXILIARIES - {"may", "can", "will"}:
            return True
    return False


def cut_joined(rest: str) -> str:
    """Return a predicate without what a comma, a semicolon or a second verb adds to it."""
    verbs = "|".join(sorted(AUXILIARIES | frozenset(_BASE_OF)))
    pattern = (
        rf"[;:]|, | [—–] | and (?:then |so |also |it |they |not )?(?:{verbs})\b| but | \(|, and "
    )
    return re.split(pattern, rest)[0].strip(" ,;")


def in_sentence(phrase: str, document: str) -> str:
    """Return a phrase or sentence as it stands inside another: names keep their capital.

    A capitalised word is taken for a name if the document writes it so in the middle of a
    sentence, if the word after it is capitalised too, or if it holds further capitals.
    """
    first, _, rest = phrase.partition(" ")
    if not first[:1].isupper() or not first[1:].islower():
        lone_article = first == "A"
        return phrase[0].lower() + phrase[1:] if lone_article else phrase
    if first.lower() in DETERMINERS | PREPOSITIONS | {"you"} or is_number(first):
        return phrase[0].lower() + phrase[1:]
    if rest[:1].isupper():
        return phrase
    owner = re.sub(r"['’]s$", "", first)
    if owner != first and not re.search(rf"\b{re.escape(owner.lower())}\b", document):
        return phrase
    # with the word that follows: "Performance" is a name in "Performance Plan" alone
    second = rest.split(" ", 1)[0].strip(",.;:")
    if _is_written_as_name(f"{first} {second}".strip(), document):
        return phrase
    return phrase if _is_written_as_name(first, document) else phrase[0].lower() + phrase[1:]


def _is_written_as_name(words: str, document: str) -> bool:
    """Whether a document writes words with a capital within sentences, and never without."""
    # the plain look-up settles most words, at a tenth of the time
    if f" {words}" not in document:
        return False
    small = re.escape(words[0].lower() + words[1:])
    if re.search(rf"(?<![\w-]){small}(?![\w-])", document):
        return False
    return re.search(rf"[a-z,;] {re.escape(words)}\b", document) is not None


def base_of_gerund(gerund: str) -> str:
    """Return the verb of an -ing form: adding -> add, using -> use, planning -> plan."""
    stem = gerund.lower().removesuffix("ing")
    return next((form for form in (stem, f"{stem}e", stem[:-1]) if is_order(form)), stem)
