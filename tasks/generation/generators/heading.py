"""Lists, asked for by the sentence above them or by their heading."""

import re
from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from tasks.generation.base import GENERATORS, Candidate, ChunkView, RuleGenerator
from tasks.generation.grammar import in_sentence, is_noun_phrase, is_plural
from tasks.generation.lists import ListRun, list_runs, render
from tasks.generation.passage import PICTURE
from tasks.generation.patterns import names_people
from tasks.generation.screen import screened
from tasks.generation.sections import (
    is_whole_section,
    names_subject,
    place,
    quoted,
    recurs,
    spoken,
)
from tasks.generation.steps import is_procedure, is_task
from tasks.generation.vocabulary import AUXILIARIES, CLAUSE_WORDS, PREPOSITIONS, is_order
from tasks.generation.wording import (
    anchor,
    choose,
    content_words,
    name_document,
    points_elsewhere,
)

_LEAD = re.compile(
    r"^(?P<subject>[^,;:.]+?) (?P<modal>must|should|can|may|will) (?:also )?(?P<verb>[a-z]+) "
    r"(?P<object>(?:one of |any of |all of )?(?:the|these) (?:following)?(?P<noun>[a-z ]*)):$"
)
_LEAD_BE = re.compile(
    r"^(?P<subject>(?:The|Our|Some|Typical|Common|[A-Z]\w+)\b[^,;:.]*?) "
    r"(?P<verb>is|are|include|includes)"
    r"(?: as follows| the following)?:$"
)

# What makes a heading lean on what was said before it.
_LEANING = re.compile(
    r"\b(?:this|that|these|those|it|they|here|above|below|following|next|more|else|other)\b",
    re.IGNORECASE,
)


# Headings of lists that name what stands elsewhere.
_SHELF = re.compile(
    r"\b(?:resources?|links?|sites?|tutorials?|readings?|tools|documents?)\b", re.IGNORECASE
)


@GENERATORS.register
class HeadingGenerator(RuleGenerator):
    """Asks for a whole list."""

    generator: Literal["heading"] = "heading"
    fewest_items: int = Field(2, description="Fewest items a list must have.", ge=2)
    longest_answer: int = Field(130, description="Longest answer, in words.", ge=5)

    def generate(self, chunk: ChunkView) -> Iterator[Candidate]:
        """Yield a candidate for each list that the chunk holds whole."""
        return screened(chunk, self._candidates(chunk))

    def _candidates(self, chunk: ChunkView) -> Iterator[Candidate]:
        for run in list_runs(chunk):
            if not self._usable(run):
                continue
            candidate = _by_lead(chunk, run) or _by_heading(chunk, run)
            if candidate is not None:
                yield candidate

    def _usable(self, run: ListRun) -> bool:
        texts = [item.text for item in run.items]
        complete = not any(t.endswith((":", "?")) or len(t) < 2 for t in texts)
        return (
            run.whole
            and run.flat
            and complete
            and len(set(texts)) == len(texts) >= self.fewest_items
            and run.words <= self.longest_answer
            and run.links <= 0.5
        )


def _by_lead(chunk: ChunkView, run: ListRun) -> Candidate | None:
    """Ask what the sentence above the list says of it."""
    if run.lead is None or not run.lead.text.endswith(":"):
        return None
    sentence = re.split(r"(?<=[.!?])\s+", run.lead.text)[-1]
    question = _from_lead(chunk, sentence)
    named = name_document(question, place(chunk)) if question else None
    if named is None or is_procedure(run):
        return None
    return Candidate("list", named, render(run.items), run.items[0].start, run.items[-1].end)


def _from_lead(chunk: ChunkView, sentence: str) -> str | None:
    if points_elsewhere(sentence.replace("following", "").replace("these", "")):
        return None
    modal = _LEAD.match(sentence)
    if modal and (is_noun_phrase(modal["subject"]) or modal["subject"] == "You"):
        noun = modal["noun"].strip() or "things"
        subject = in_sentence(modal["subject"], chunk.document)
        return f"which {noun} {modal['modal']} {subject} {modal['verb']}?"
    be = _LEAD_BE.match(sentence)
    if be is None or re.search(r"\b(?:other|only)\b", sentence, re.IGNORECASE):
        return None
    # "the options" is of what? Only words beside the noun say it
    says = len(content_words(be["subject"])) > 1
    if is_noun_phrase(be["subject"], longest=10) and says:
        verb = "are" if be["verb"] in ("are", "include") else "is"
        wh = "who" if names_people(be["subject"]) else "what"
        return f"{wh} {verb} {in_sentence(be['subject'], chunk.document)}?"
    return None


def _by_heading(chunk: ChunkView, run: ListRun) -> Candidate | None:
    """Ask for the whole section, where it is the list and at most a sentence that opens it."""
    if not (is_whole_section(chunk) and run.follows_heading and run.ends_section):
        return None
    if _SHELF.search(chunk.heading) and all(_is_name(item.text) for item in run.items):
        return None
    if is_procedure(run) or is_task(chunk, run) or not is_quotable(chunk):
        return None
    lead = [run.lead] if run.lead is not None else []
    if lead and not lead[0].text.endswith(":"):
        return None  # prose with a list in it: asked for as a passage
    blocks = [*lead, *run.items]
    asked = _ask(chunk, run)
    # one word says too little: "the browsers" of what?
    leans = '"' in asked or len(content_words(asked)) < 2
    question = name_document(asked, chunk.name) if leans else anchor(asked, chunk.name)
    if question is None:
        return None
    return Candidate("list", question, render(blocks), blocks[0].start, blocks[-1].end)


def is_quotable(chunk: ChunkView) -> bool:
    """Whether a heading can stand in a question as the name of its section."""
    heading = quoted(chunk.heading)
    if recurs(chunk) or re.search(PICTURE, heading):
        return False
    fits = 3 <= len(heading) <= 70 and not chunk.heading.endswith("?")
    own = heading.lower() != chunk.name.lower() and names_subject(heading)
    clear = not _LEANING.search(heading) and not re.search(r"[{}<>|#]", heading)
    return fits and own and bool(content_words(heading)) and clear


def _ask(chunk: ChunkView, run: ListRun) -> str:
    heading = re.sub(r"^The ", "", chunk.heading.rstrip(".:"))
    said = spoken(heading, chunk.document)
    plural = _names_its_items(heading) and not re.search(r"[A-Z][a-z]", said)
    named = run.lead is None and plural
    if named and all(_is_name(item.text) for item in run.items):
        return f"{'Who' if names_people(said) else 'What'} are the {said}?"
    name = quoted(chunk.heading)
    if run.lead is not None:
        return choose(
            run.items[0].text,
            f'what is said under "{name}"?',
            f'what is set out under "{name}"?',
        )
    return choose(
        run.items[0].text,
        f'what is listed under "{name}"?',
        f'what is given under "{name}"?',
        f'which points are given under "{name}"?',
    )


def _names_its_items(heading: str) -> bool:
    words = heading.split()
    plural = is_noun_phrase(heading, longest=5) and is_plural(heading) and words[-1].endswith("s")
    return plural and not set(heading.lower().split()) & PREPOSITIONS


def _is_name(item: str) -> bool:
    """Whether an item names a thing: no sentence, no order, no remark."""
    words = item.lower().split()
    return (
        len(words) <= 7
        and not is_order(item)
        and words[0] not in CLAUSE_WORDS
        and not set(words) & AUXILIARIES
        and not re.search(r"[.:;!]$|[:;] ", item)
    )
