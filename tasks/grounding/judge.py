"""Is a row's answer in its passage, and does its question stand on its own?

Deterministic, and the same for rows made by rules and by a language model. The score says
how much of the answer the passage supports at its weakest place; the hard checks catch
what a share cannot: one changed figure, name, unit or negation makes a row wrong.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from tasks.grounding import claims, questions
from tasks.grounding.evidence import is_cell_beside, relevance, wrong_column
from tasks.grounding.order import disordered_steps, swapped_roles
from tasks.grounding.slots import exchanged
from tasks.grounding.units import Passage, parse_passage
from tasks.text.markup import plain

# Content words in the window that slides over an answer: an invented clause of two words
# already lowers the support of its window to 3 of 5.
_WINDOW = 5

# Content words of a passage within which two neighbours of an answer count as neighbours.
_REACH = 4

# Lowest fit of the answer's place in the passage to the question. Chosen on the rows of
# benchmarks/grounding.py with seed 1; the page in docs/results is another seed's.
MIN_RELEVANCE = 0.9

# How similar a question may be to one of the prompt's examples (Jaccard of its words).
_COPY = 0.75


@dataclass(frozen=True)
class Judgement:
    """What was found about a row.

    Attributes:
        score: Support of the answer by the passage, 0 to 1.
        reason: Why the row must be dropped, in one word, or None.
        detail: A sentence for a person.
    """

    score: float
    reason: str | None = None
    detail: str = ""


def judge(
    question: str,
    answer: str,
    passage: str,
    context: Sequence[str],
    min_score: float,
    examples: Sequence[str] = (),
) -> Judgement:
    """Judge one row.

    Args:
        question: The question; empty where it is Temper's own wording and needs no check.
        answer: The answer; empty where only the question is judged.
        passage: The text that must support the answer.
        context: Title and headings, which the question may use as well.
        min_score: Lowest acceptable score.
        examples: Questions shown to the model in its prompt, which it must not copy.
    """
    support = plain(passage)
    whole = " . ".join([*context, support])
    parsed = parse_passage(passage, " . ".join(context))
    score = support_score(answer, whole) if answer else 1.0
    reason, detail = (
        (question and _check_question(question, whole, examples))
        or (question and answer and _check_pair(question, answer, parsed))
        or (answer and _check_answer(answer, whole, support))
        or (answer and _check_places(question, answer, parsed))
        or (None, "")
    )
    if reason is None and score < min_score:
        reason = "ungrounded"
        detail = f"The passage supports {score:.2f} of the answer, less than {min_score:.2f}."
    return Judgement(score, reason, detail)


def support_score(answer: str, passage: str) -> float:
    """Return the answer's support at its weakest place, 0 to 1.

    Seven tenths are the lowest share of supported content words in any window of five; the
    rest is the share of neighbours among the supported words that are near each other in the
    passage, too.
    """
    words = claims.content_sequence(answer)
    there = claims.content_sequence(passage)
    if not words:
        return 1.0 if claims.numbers(answer) or re.search(r"\w", answer) else 0.0
    known = set(there)
    hits = [word in known for word in words]
    size = min(_WINDOW, len(hits))
    weakest = min(sum(hits[i : i + size]) for i in range(len(hits) - size + 1)) / size
    near = {(a, b) for i, a in enumerate(there) for b in there[i + 1 : i + 1 + _REACH]}
    pairs = list(pairwise(word for word in words if word in known))
    order = sum(pair in near for pair in pairs) / len(pairs) if pairs else weakest
    return round(0.7 * weakest + 0.3 * order, 4)


def _check_question(question: str, whole: str, examples: Sequence[str]) -> tuple[str, str] | None:
    malformed = questions.malformed(question)
    if malformed:
        return "malformed", f"The question {malformed}."
    pointer = questions.points_at_text(question)
    if pointer:
        return "not_self_contained", f"The question leans on {pointer!r}, which it does not name."
    words = set(claims.content_sequence(question))
    for example in examples:
        shown = set(claims.content_sequence(example))
        if shown and len(words & shown) / len(words | shown) >= _COPY:
            return "copies_example", f"The question copies the prompt's example {example!r}."
    missing = claims.missing_names(question, whole)
    if missing:
        return "name_mismatch", f"The question names {missing!r}, which the passage does not."
    return None


def _check_pair(question: str, answer: str, passage: Passage) -> tuple[str, str] | None:
    if not re.search(r"\w", answer) or len(question.split()) < 3:
        return "too_short", "The question has fewer than three words, or the answer has none."
    # a title says where the answer is looked for, and may hold it
    asked = questions.without_source(question)
    new = claims.answer_words(answer) - claims.answer_words(asked)
    if not (new or claims.is_yes_no(answer) or is_cell_beside(asked, answer, passage)):
        return "answer_in_question", "The answer says nothing that the question does not say."
    expected = questions.wrong_type(question, answer)
    if expected:
        return "wrong_type", f"The question asks for {expected}, and the answer gives none."
    return None


def _check_answer(answer: str, whole: str, support: str) -> tuple[str, str] | None:
    number = claims.missing_number(answer, whole)
    if number:
        return "number_mismatch", f"The answer says {number!r}, which the passage does not."
    name = claims.missing_names(answer, whole)
    if name:
        return "name_mismatch", f"The answer names {name!r}, which the passage does not."
    negation = claims.negation_differs(answer, support)
    if negation:
        return "negation_mismatch", f"Answer and passage differ in a negation: {negation}"
    restriction = claims.restriction_dropped(answer, support)
    if restriction:
        return "detail_mismatch", f"The passage restricts what the answer says: {restriction}"
    return None


def _check_places(question: str, answer: str, passage: Passage) -> tuple[str, str] | None:
    """Check what hangs on where the passage says something, not on whether it does."""
    other = exchanged(question, answer, passage)
    if other:
        return "detail_mismatch", other
    source = swapped_roles(plain(answer), passage)
    if source:
        return "role_mismatch", f"The passage has it the other way round: {source}"
    step = disordered_steps(answer, " ".join(unit.text for unit in passage.units))
    if step:
        return "order_mismatch", f"In the passage this step comes earlier: {step}"
    column = wrong_column(question, answer, passage)
    if column:
        return "unanswered", f"The answer stands in the column {column!r}, which was not asked for."
    fit = relevance(question, answer, passage)
    if fit < MIN_RELEVANCE:
        detail = f"Where the passage says this, it speaks of something else ({fit:.2f})."
        return "unanswered", detail
    return None
