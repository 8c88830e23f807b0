"""Lists and procedures, asked for by the heading or the sentence above them."""

import re
from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from tasks.generation.base import GENERATORS, Candidate, ChunkView, RuleGenerator
from tasks.generation.grammar import base_of_gerund, in_sentence, is_noun_phrase, is_plural
from tasks.generation.lists import ListRun, list_runs, render
from tasks.generation.vocabulary import is_order, word_set
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

_ALSO_NOUNS = word_set(
    "leave require consider work test report store search contact review plan note guide travel "
    "transport place post press use cost control cause help support document list offer need"
)

# What makes prose an instruction: an order, or what the reader can or must do.
_ORDERS = re.compile(
    r"(?:^|[,;] |then )(?:please )?(?:click|go|use|open|select|send|ask|add|enter|visit|"
    r"choose|submit|contact|fill|complete|make|call|type|email|check|set|remove|create)\b|"
    r"\byou (?:can|must|should|need)\b",
    re.IGNORECASE,
)
_ELSEWHERE = re.compile(r"\b(?:below|above|following|this (?:page|section|guide))\b", re.IGNORECASE)

# Headings that say nothing about what their list holds.
_EMPTY = word_set(
    "resources links notes overview introduction background details examples more other misc "
    "content contents summary related references see further general also reading"
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
        yield from self._instruction(chunk)

    def _instruction(self, chunk: ChunkView) -> Iterator[Candidate]:
        """Ask how to do what a heading orders, where the section is one piece of prose."""
        heading, blocks = chunk.heading.rstrip(".!"), chunk.blocks
        prose = chunk.first and chunk.last and all(b.kind == "paragraph" for b in blocks)
        if not (prose and blocks and _is_task(heading)) or points_elsewhere(heading):
            return
        answer = render(blocks)
        orders = [s for s in chunk.sentences("paragraph") if _ORDERS.search(s.text)]
        fits = 8 <= len(answer.split()) <= self.longest_answer and answer.endswith(".")
        question = anchor(f"How do you {heading[0].lower()}{heading[1:]}?", chunk.name)
        if fits and orders and question and not _ELSEWHERE.search(answer):
            yield Candidate("procedure", question, answer, blocks[0].start, blocks[-1].end)

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
    if not _is_procedure(run) and not how:
        return _by_name(chunk, "What is listed under")
    if how:
        return anchor(f"How do you {how['rest'][0].lower()}{how['rest'][1:]}?", chunk.name)
    gerund = _GERUND.match(heading)
    if gerund and is_order(base_of_gerund(gerund["verb"])) and len(heading.split()) <= 8:
        return anchor(f"What are the steps for {heading[0].lower()}{heading[1:]}?", chunk.name)
    return _by_name(chunk, "What are the steps under")


def _is_task(heading: str) -> bool:
    """Whether a heading orders something; "Leave types" only looks as if it did."""
    words = heading.lower().split()
    return len(words) > 2 and is_order(heading) and words[0] not in _ALSO_NOUNS and words[1] != "of"


def _is_procedure(run: ListRun) -> bool:
    """Whether most items are orders, or begin with a time of day."""
    steps = [item for item in run.items if _is_step(item.text)]
    return len(steps) >= 0.6 * len(run.items)


def _is_step(text: str) -> bool:
    parts = re.split(r", (?:then )?", text)
    return any(is_order(part) for part in parts) or re.match(r"\d\d?[:.]\d\d", text) is not None


def _list(chunk: ChunkView, run: ListRun) -> str | None:
    led = run.lead is not None and run.lead.text.endswith(":")
    question = _from_lead(chunk, run.lead.text) if run.lead is not None and led else None
    if question is not None or not run.follows_heading or chunk.heading.endswith("?"):
        return question
    if led:
        return _by_name(chunk, "What is listed under")
    if run.lead is not None:
        return None
    heading = re.sub(r"^The ", "", chunk.heading.rstrip(".:"))
    if _names_its_items(heading) and all(_is_name(item.text) for item in run.items):
        return anchor(f"What are the {in_sentence(heading, chunk.document)}?", chunk.name)
    return _by_name(chunk, "What is listed under")


def _names_its_items(heading: str) -> bool:
    words = heading.split()
    plural = is_noun_phrase(heading, longest=5) and is_plural(heading) and words[-1].endswith("s")
    return plural and heading[1:] == heading[1:].lower() and words[-1].lower() not in _EMPTY


def _is_name(item: str) -> bool:
    return len(item.split()) <= 14 and not is_order(item)


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
    if be and is_noun_phrase(be["subject"], longest=10) and " " in be["subject"]:
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
