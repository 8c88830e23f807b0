"""Lists and procedures, asked for by the heading or the sentence above them."""

import re
from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from tasks.generation.base import GENERATORS, Candidate, ChunkView, RuleGenerator
from tasks.generation.grammar import in_sentence, is_noun_phrase, is_plural
from tasks.generation.lists import ListRun, list_runs, render
from tasks.generation.vocabulary import word_set
from tasks.generation.wording import anchor, content_words, name_document, points_elsewhere

_HOW_TO = re.compile(r"^(?:\w+ )?How to (?P<rest>\w.+)$", re.IGNORECASE)
_GERUND = re.compile(
    r"^(?P<verb>[A-Z][a-z]+ing) (?P<rest>(?:the |a |an |your |for |to |in |on )?\w.*)$"
)

_LEAD = re.compile(
    r"^(?P<subject>[^,;:.]+?) (?P<modal>must|should|can|may|will) (?:also )?(?P<verb>[a-z]+) "
    r"(?P<object>(?:one of |any of |all of )?(?:the|these) (?:following)?(?P<noun>[a-z ]*)):$"
)
_LEAD_BE = re.compile(
    r"^(?P<subject>(?:The|Our|Some|Typical|Common|[A-Z]\w+)\b[^,;:.]*?) (?:is|are|include|includes)"
    r"(?: as follows| the following)?:$"
)

# Headings that say nothing about what their list holds.
_EMPTY = word_set(
    "resources links notes overview introduction background details examples more other misc "
    "content contents summary related references see further general"
)


@GENERATORS.register
class HeadingGenerator(RuleGenerator):
    """Asks for a whole list, or for the steps of a procedure."""

    generator: Literal["heading"] = "heading"
    fewest_items: int = Field(2, description="Fewest items a list must have.", ge=2)
    longest_answer: int = Field(130, description="Longest answer, in words.", ge=5)

    def generate(self, chunk: ChunkView) -> Iterator[Candidate]:
        """Yield a candidate for each list that the chunk holds whole."""
        for run in list_runs(chunk):
            if not self._usable(run):
                continue
            question = _procedure(chunk, run) if run.ordered else _list(chunk, run)
            if question is not None:
                kind = "procedure" if run.ordered else "list"
                start, end = run.items[0].start, run.items[-1].end
                yield Candidate(kind, question, render(run.items), start, end)

    def _usable(self, run: ListRun) -> bool:
        words = sum(len(item.text.split()) for item in run.items)
        flat = all(item.indent == run.items[0].indent for item in run.items)
        complete = not any(item.text.endswith((":", "?")) for item in run.items)
        return (
            run.whole
            and flat
            and complete
            and len(run.items) >= self.fewest_items
            and words <= self.longest_answer
        )


def _procedure(chunk: ChunkView, run: ListRun) -> str | None:
    heading = chunk.heading.rstrip(".:")
    if not run.follows_heading or heading.endswith("?") or points_elsewhere(heading):
        return None
    how = _HOW_TO.match(heading)
    if how:
        return anchor(f"How do you {how['rest'][0].lower()}{how['rest'][1:]}?", chunk.name)
    gerund = _GERUND.match(heading)
    if gerund and len(heading.split()) <= 8:
        return anchor(f"What are the steps for {heading[0].lower()}{heading[1:]}?", chunk.name)
    return _by_name(chunk, "What are the steps under")


def _list(chunk: ChunkView, run: ListRun) -> str | None:
    if run.lead is not None and run.lead.text.endswith(":"):
        return _from_lead(chunk, run.lead.text)
    if not run.follows_heading or run.lead is not None:
        return None
    heading = chunk.heading.rstrip(".:")
    words = heading.split()
    if heading.endswith("?") or heading.lower().split()[-1] in _EMPTY:
        return None
    noun = is_noun_phrase(heading, longest=5) and is_plural(heading) and words[-1].endswith("s")
    short = all(len(item.text.split()) <= 14 for item in run.items)
    if noun and short and heading[1:] == heading[1:].lower():
        return anchor(f"What are the {in_sentence(heading, chunk.document)}?", chunk.name)
    return _by_name(chunk, "What is listed under")


def _from_lead(chunk: ChunkView, lead: str) -> str | None:
    sentence = re.split(r"(?<=[.!?])\s+", lead)[-1]
    if points_elsewhere(sentence.replace("following", "").replace("these", "")):
        return None
    modal = _LEAD.match(sentence)
    if modal and (is_noun_phrase(modal["subject"]) or modal["subject"] == "You"):
        noun = modal["noun"].strip() or "things"
        subject = in_sentence(modal["subject"], chunk.document)
        question = f"Which {noun} {modal['modal']} {subject} {modal['verb']}?"
        return anchor(question, chunk.name)
    be = _LEAD_BE.match(sentence)
    if be and is_noun_phrase(be["subject"], longest=10):
        verb = "are" if is_plural(be["subject"]) else "is"
        return anchor(f"What {verb} {in_sentence(be['subject'], chunk.document)}?", chunk.name)
    return None


def _by_name(chunk: ChunkView, opening: str) -> str | None:
    heading = chunk.heading.rstrip(".:")
    if heading == chunk.title or '"' in heading or not 3 <= len(heading) <= 70:
        return None
    if heading.lower().split()[-1] in _EMPTY or not content_words(heading):
        return None
    return name_document(f'{opening} "{heading}"?', chunk.name)
