"""Judges a candidate in the way that its kind needs."""

import re

from tasks.generation.base import Candidate, ChunkView, Generator, Subject
from tasks.grounding import questions
from tasks.grounding.claims import content_sequence
from tasks.grounding.judge import Judgement, judge
from tasks.text.markup import plain

# From this share of a question's words in one sentence on, the sentence may well answer it.
_ANSWERED = 0.8

# One word that passage and question do not share may come from an example by chance.
_FEWEST_BORROWED = 2

# Words by which a question asks, not what it asks about.
_ASKING = frozenset(content_sequence("according know say said tell list listed given set stated"))

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n")


def assess(
    generator: Generator, subject: Subject, candidate: Candidate, min_grounding: float
) -> Judgement:
    """Judge a candidate without a language model.

    Args:
        generator: Whose it is; its prompt's examples must not be copied.
        subject: The passages that must support it.
        candidate: The candidate.
        min_grounding: Lowest support of its claim.
    """
    asks = candidate.question if candidate.asks is None else candidate.asks
    if candidate.refuses:
        found = judge_refusal(asks, *_text(*subject.sources))
    else:
        examples = generator.shown_questions()
        parts = _parts(subject, candidate, asks)
        judged = [
            judge(question, answer, *_text(*chunks), min_grounding, examples)
            for question, answer, chunks in parts
        ]
        found = next((j for j in judged if j.reason), min(judged, key=lambda j: j.score))
    copied = _borrowed(generator, asks or candidate.question, subject)
    if copied and found.reason is None:
        return Judgement(
            found.score, "copies_example", f"The question takes {copied} from the prompt's example."
        )
    if candidate.flaw and found.reason is None:
        detail = f"The question misses the answer: {candidate.flaw}."
        return Judgement(found.score, "unfit_question", detail)
    return found


def _borrowed(generator: Generator, question: str, subject: Subject) -> str:
    """Return the words by which a question speaks of the example's subject, if it does.

    Small models put words of the passage into the example's question and keep the rest.
    """
    passage, context = _text(*subject.sources)
    foreign = set(content_sequence(question)) - set(content_sequence(passage))
    found = foreign & generator.shown_subject() - set(content_sequence(" ".join(context)))
    return ", ".join(sorted(found)) if len(found) >= _FEWEST_BORROWED else ""


def _parts(
    subject: Subject, candidate: Candidate, asks: str
) -> list[tuple[str, str, tuple[ChunkView, ...]]]:
    """Return question, answer and supporting chunks of all that must hold for a candidate.

    An answer that joins two passages is judged side by side: what the first says of one
    number, the second may say of another.
    """
    turns = [content for _, content in candidate.history]
    parts = [(q, a, subject.sources) for q, a in zip(turns[::2], turns[1::2], strict=True)]
    if candidate.sides:
        sides = zip(candidate.sides, subject.sources, strict=True)
        return [*parts, (asks, "", subject.sources), *(("", side, (c,)) for side, c in sides)]
    claim = candidate.answer if candidate.claim is None else candidate.claim
    return [*parts, (asks, claim, subject.sources)]


def _text(*chunks: ChunkView) -> tuple[str, list[str]]:
    """Return the text of chunks, and their titles and headings."""
    passage = "\n\n".join(chunk.passage for chunk in chunks)
    return passage, [name for chunk in chunks for name in (chunk.name, *chunk.headings)]


def judge_refusal(question: str, passage: str, context: list[str]) -> Judgement:
    """Judge a question that the passage must not answer, though it is about its subject.

    The score is 1 or 0: that a passage does not say a thing is not a matter of degree.
    """
    fault = questions.malformed(question)
    if fault:
        return Judgement(0.0, "malformed", f"The question {fault}.")
    pointer = questions.points_at_text(question)
    if pointer:
        detail = f"The question leans on {pointer!r}, which it does not name."
        return Judgement(0.0, "not_self_contained", detail)
    asked = set(content_sequence(question))
    if not asked & set(content_sequence(" ".join([*context, plain(passage)]))):
        return Judgement(0.0, "off_topic", "No word of the question is in the passage.")
    answering = answering_sentence(question, passage, context)
    if answering:
        detail = f"The passage may well answer the question: {answering}"
        return Judgement(0.0, "answerable", detail)
    return Judgement(1.0)


def answering_sentence(question: str, passage: str, context: list[str]) -> str | None:
    """Return a sentence that holds nearly all words of a question, or None.

    Words of the title and the headings are set aside where the question has others.
    """
    asked = set(content_sequence(question)) - _ASKING
    own = asked - set(content_sequence(" ".join(context))) or asked
    for sentence in filter(None, _SENTENCE_END.split(passage)):
        said = set(content_sequence(plain(sentence)))
        if own and len(own & said) >= _ANSWERED * len(own):
            return plain(sentence)
    return None
