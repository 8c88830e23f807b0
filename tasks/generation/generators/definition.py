"""Definitions: sentences of the form "X is a ..." and glossary entries."""

import re
from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from tasks.generation.base import GENERATORS, Candidate, ChunkView, RuleGenerator
from tasks.generation.grammar import in_sentence, is_noun_phrase, is_plural
from tasks.generation.passage import Block, Span, plain, sentences
from tasks.generation.vocabulary import word_set
from tasks.generation.wording import anchor, points_elsewhere

_STATEMENT = re.compile(
    r"(?P<subject>[A-Z0-9\"“][^,;:.]*?) (?P<verb>is|are|means|mean|refers to|stands for) "
    r"(?P<predicate>.+)\.$"
)

# What may open the predicate of a definition.
_GENUS = re.compile(r"(?:a|an|the|one|any|all|those|that)\s", re.IGNORECASE)

# Predicates that judge or place a thing instead of saying what it is.
_NO_GENUS = re.compile(
    r"(?:a|an|the)\s+(?:\w+\s+)?(?:good|great|bad|must|few|lot|bit|number|same|only|best|most|more|"
    r"first|last|next|different|very|available|following|case|reason|result|problem|important|key|responsib\w+|main|way|"
    r"common|big|great|perfect|wonderful|right|wrong|time|useful|helpful|priority|goal)\b",
    re.IGNORECASE,
)

_ENTRY = re.compile(
    r"^(?P<term>[A-Z0-9a-z][^.:–—\n]{0,60}?)(?:\s+[-–—]\s+|[.:]\s+)(?P<text>\S.*)$",
    re.DOTALL,
)

# How a glossary's explanation opens: with a noun phrase, not with an order.
_EXPLANATION = re.compile(
    r"(?:A|An|The|Any|All|One|Someone|People|Those|[A-Z][\w-]+ (?:of|for|that|which|used|who))\b"
)

_NO_SUBJECT = word_set("you each every all any most your no both")

_GLOSSARY = re.compile(
    r"\b(glossary|terms|terminology|definitions?|acronyms|abbreviations|vocabulary|jargon|lingo)\b",
    re.IGNORECASE,
)


@GENERATORS.register
class DefinitionGenerator(RuleGenerator):
    """Asks what a term means where a sentence or a glossary entry says so."""

    generator: Literal["definition"] = "definition"
    longest_term: int = Field(5, description="Longest term asked about, in words.", ge=1)

    def generate(self, chunk: ChunkView) -> Iterator[Candidate]:
        """Yield a candidate for each definition."""
        for block in chunk.blocks:
            if block.kind not in ("paragraph", "item"):
                continue
            entry = _ENTRY.match(plain(block.raw))
            if entry is not None:
                yield from self._entry(chunk, block, entry)
            for sentence in self._prose(chunk, block, entry):
                yield from self._statement(chunk, sentence)

    def _prose(self, chunk: ChunkView, block: Block, entry: re.Match[str] | None) -> Iterator[Span]:
        """Yield the sentences of a block that stand outside a glossary entry."""
        if (
            entry is None or not self._explains(chunk, entry["text"])
        ) and block.kind == "paragraph":
            yield from sentences(chunk.text, block)

    def _entry(self, chunk: ChunkView, block: Block, entry: re.Match[str]) -> Iterator[Candidate]:
        term, text = entry["term"], entry["text"]
        if text.startswith(("See ", "see ")):
            return
        if not self._is_term(term) or len(text.split()) < 4 or not text.endswith("."):
            return
        repeats = re.match(
            rf"(?P<article>A |An |The )?{re.escape(term)} (?P<verb>is|are) ", text, re.IGNORECASE
        )
        if repeats is None and not self._explains(chunk, text):
            return
        term = in_sentence(term, chunk.document)
        if repeats is not None:
            article = (repeats["article"] or "").lower()
            question = f"What {repeats['verb']} {article}{term}?"
        elif term[0].islower():
            question = f'What does "{term}" mean?'
        else:
            question = f"What is {term}?"
        start = block.end - len(block.raw)
        yield Candidate("definition", question, text, start, block.end)

    def _explains(self, chunk: ChunkView, text: str) -> bool:
        in_glossary = any(_GLOSSARY.search(name) for name in (chunk.title, *chunk.headings))
        return in_glossary and _EXPLANATION.match(text) is not None

    def _statement(self, chunk: ChunkView, sentence: Span) -> Iterator[Candidate]:
        match = _STATEMENT.match(sentence.text)
        if match is None or not self._defines(match):
            return
        subject = in_sentence(match["subject"], chunk.document)
        question = anchor(_what(subject, match["verb"]), chunk.name)
        if question is not None and not points_elsewhere(sentence.text):
            yield Candidate("definition", question, sentence.text, sentence.start, sentence.end)

    def _defines(self, match: re.Match[str]) -> bool:
        subject, verb, predicate = match["subject"], match["verb"], match["predicate"]
        words = subject.split()
        bare = words[1:] if words[0].lower() in ("a", "an", "the") else words
        if not self._is_term(" ".join(bare)) or not is_noun_phrase(subject):
            return False
        if (words[0].endswith("ing") and len(words) > 1) or words[0].lower() in _NO_SUBJECT:
            return False
        if verb in ("is", "are"):
            if (verb == "are") != is_plural(subject):
                return False
            if not _GENUS.match(predicate) or _NO_GENUS.match(predicate):
                return False
        return len(predicate.split()) >= 3

    def _is_term(self, term: str) -> bool:
        return len(term.split()) <= self.longest_term and is_noun_phrase(term)


def _what(subject: str, verb: str = "is") -> str:
    if verb in ("means", "mean", "stands for"):
        base = "mean" if verb.startswith("mean") else "stand for"
        return f"What {'do' if is_plural(subject) else 'does'} {subject} {base}?"
    if verb == "refers to":
        return f"What does {subject} refer to?"
    return f"What {'are' if is_plural(subject) else 'is'} {subject}?"
