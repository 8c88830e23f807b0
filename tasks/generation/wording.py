"""Whether a question stands on its own, and how it is made to."""

import re
from zlib import crc32

from tasks.generation.vocabulary import (
    AUXILIARIES,
    CLAUSE_WORDS,
    DETERMINERS,
    PREPOSITIONS,
    PRONOUNS,
    word_set,
)

_OPEN_WORDS = re.compile(
    r"\b(it|they|he|she|we|this|these|those|here|above|below|following|such|another|same|"
    r"previous|former|latter|our|us|them|him|his|her|i|my|me|next|then|however|also|too|"
    r"otherwise|instead|therefore|as noted|earlier|later)\b",
    re.IGNORECASE,
)


_FUNCTION = (
    PRONOUNS
    | DETERMINERS
    | PREPOSITIONS
    | CLAUSE_WORDS
    | AUXILIARIES
    | word_set("and or not be been being do does did much many often say says page")
)


def points_elsewhere(text: str) -> bool:
    """Whether a text leans on something said outside it."""
    return _OPEN_WORDS.search(text) is not None


# A small word that begins big amid a sentence: a heading or a label ran into what follows it.
_RUN_ON = re.compile(
    r"[A-Za-z] (?:An?|All|As|At|Each|Every|For|From|If|In|It|Our|The|There|These|This|To|We|When|"
    r"Where|You|Your) (?:[a-z]+ )"
)


def runs_on(sentence: str) -> bool:
    """Whether a sentence holds the beginning of another one without a mark between them."""
    return _RUN_ON.search(sentence) is not None


def content_words(text: str) -> set[str]:
    """Return the lower-cased words that carry meaning, plural endings taken off."""
    words = re.findall(r"[a-z0-9][a-z0-9'’\-]*", text.lower())
    return {
        word[:-1] if len(word) > 3 and word.endswith("s") else word
        for word in words
        if word not in _FUNCTION and len(word) > 1
    }


def anchor(question: str, title: str) -> str | None:
    """Return a question that stands on its own, with the document named where it must be.

    A definite noun phrase ("the form") means something only within its document. Where the
    question shares no word with the title, the title is put in front.

    Returns:
        The question, or None where the title is unfit to be quoted.
    """
    if content_words(question) & content_words(title) or not re.search(
        r"\bthe (?![A-Z])", question
    ):
        return question
    return name_document(question, title)


def name_document(question: str, title: str) -> str | None:
    """Return the question with the document's title put in front, or None if it is unfit."""
    if not 3 <= len(title) <= 90 or re.search(r'["\[{<]|\?$', title):
        return None
    opening = choose(question, "According to", "According to", "In")
    return f'{opening} "{title}", {question[0].lower()}{question[1:]}'


def choose(key: str, *wordings: str) -> str:
    """Return one of several wordings: always the same for the same key, evenly over all keys."""
    return wordings[crc32(key.encode()) % len(wordings)]
