"""Does a question fit the sentence that it was written for?

The answer is known, so much can be checked: the question must ask for an answer of that
sort, use the words of the answer's clause in their order and in the same voice, and hold
neither the answer nor words of its own.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from tasks.generation.targets import Target
from tasks.generation.vocabulary import word_set
from tasks.generation.wording import points_elsewhere
from tasks.grounding.claims import content_sequence

# Words that a question may use without its sentence saying them.
_QUESTION_WORDS = word_set("how long often year date much tak far")

# What bounds a number: "at least 14" answers "how many" as well as "at least how many".
_BOUNDS = word_set("least most up about max maximum minimum exact")

_CLAUSE_END = re.compile(r",| and | but | or |\bwhich\b|\bwho\b|\bthat\b")


def flaws(question: str, target: Target, min_coverage: float) -> Iterator[str]:
    """Yield what keeps a question from being the one that the answer belongs to.

    Args:
        question: The question, before the document is named in it.
        target: The sentence and its answer.
        min_coverage: Share of the words of the answer's clause that the question must use.
    """
    asked = content_sequence(question)
    given = content_sequence(target.sentence.text)
    if not target.fits(question):
        yield f"it does not ask for {target.answer!r}"
    if target.distinctive & set(asked):
        yield "it holds the answer"
    own = set(asked) - set(given) - _QUESTION_WORDS
    if own:
        yield f"it uses words of its own: {', '.join(sorted(own))}"
    yield from _omissions(set(asked), target, min_coverage)
    yield from _bad_grammar(question, target)
    if not _in_order(asked, given, content_sequence(target.answer)):
        yield "it turns the sentence round"
    after = target.sentence.text[target.start + len(target.answer) :].split()
    link = after[0] if after and after[0] in ("of", "after", "before", "from") else ""
    noun = target.answer.split()[-1]
    if link and target.sort in ("count", "duration") and f"{noun} {link}" not in question:
        yield f"it does not ask for {noun} {link} what"
    if "within" in question.lower() and "within" not in target.sentence.text.lower():
        yield "it says 'within', which the sentence does not"
    if points_elsewhere(question):
        yield "it leans on something outside it"


def _omissions(asked: set[str], target: Target, min_coverage: float) -> Iterator[str]:
    before, after = clause_around(target)
    ahead = [word for word in content_sequence(before) if word not in _BOUNDS]
    words = ahead + content_sequence(after)
    anchors = [*words[:1], *ahead[-1:]]
    missing = [word for word in dict.fromkeys(anchors) if word not in asked]
    if missing:
        yield f"it leaves out {', '.join(missing)}"
    if words and len(asked & set(words)) / len(set(words)) < min_coverage:
        yield "it leaves out most of the clause"


def clause_around(target: Target) -> tuple[str, str]:
    """Return what stands before and after the answer in its own clause."""
    text = target.sentence.text.rstrip(".")
    before, after = text[: target.start], text[target.start + len(target.answer) :]
    pieces = _CLAUSE_END.split(before)
    # "and is closed" has no subject of its own: the clause is then the whole beginning
    own = pieces[-1] if len(content_sequence(pieces[-1])) >= 2 else before
    return own, _CLAUSE_END.split(after)[0]


def _bad_grammar(question: str, target: Target) -> Iterator[str]:
    lowered = question.lower()
    before, after = clause_around(target)
    own, asked = _be_forms(before + " " + after), _be_forms(lowered)
    auxiliary = re.search(r"\b(?:do|does|did|has|have|must|can|may|should|will)\b", lowered)
    if re.search(r"\b(?:do|does|did)\b.*\b(?:be|been|is|are|was|were|must|can|may)\b", lowered):
        yield "it has one verb too many"
    if own and not asked & own and not re.search(r"\bbe\b", lowered):
        yield f"it leaves out {' or '.join(sorted(own))!r}"
    if asked - own and not re.search(r"\b(?:is|are|was|were) there\b", lowered):
        yield "its verb does not go with the sentence's"
    modal = re.search(r"\b(?:must|can|may|should|will)\b", before)
    if modal and modal[0] not in lowered:
        yield f"it leaves out {modal[0]!r}"
    if not asked and not auxiliary:
        yield "it has no auxiliary verb"


def _be_forms(text: str) -> set[str]:
    return set(re.findall(r"\b(?:is|are|was|were)\b", text))


def _in_order(asked: Sequence[str], given: Sequence[str], answer: Sequence[str]) -> bool:
    """Whether the words shared with the sentence come in its order, the answer's set aside.

    A phrase moved from the front to the end ("In 2024 ...") is allowed: one step back.
    """
    places = [given.index(word) for word in asked if word in given and word not in answer]
    steps_back = sum(b < a for a, b in pairwise(places))
    return steps_back == 0 or (steps_back == 1 and max(places[-1:], default=0) < places[0])
