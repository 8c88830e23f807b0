"""Definitions: sentences of the form "X is a ..." and glossary entries."""

import re
from collections.abc import Iterator, Sequence
from typing import Literal

from pydantic import Field

from tasks.generation.base import GENERATORS, Candidate, ChunkView, RuleGenerator
from tasks.generation.grammar import in_sentence, is_noun_phrase, is_plural
from tasks.generation.lists import readable
from tasks.generation.passage import Block, Span, sentences
from tasks.generation.screen import screened
from tasks.generation.vocabulary import DETERMINERS, MONTH, is_order, word_set
from tasks.generation.wording import choose, content_words, name_document, points_elsewhere, runs_on

_STATEMENT = re.compile(
    r"(?P<subject>[A-Z0-9\"“][^,;:.]*?) (?P<verb>is|are|means|mean|refers to|stands for) "
    r"(?P<predicate>.+)\.$"
)

# What may open the predicate of a definition.
_GENUS = re.compile(r"(?:an?|the|any|those|that (?:which|of))\s", re.IGNORECASE)

# Predicates that judge or place a thing instead of saying what it is.
_NO_GENUS = re.compile(
    r"(?:an?|the)\s+(?:[\w\"“”'’-]+\s+){0,2}(?:good|great|bad|must|few|lot|bit|number|same|only|"
    r"best|most|more|first|last|next|different|very|available|following|case|reason|result|problem|important|"
    r"key|responsib\w+|main|way|common|big|perfect|wonderful|right|wrong|time|useful|helpful|"
    r"priority|goal|feature|part|one|challenge|outgrowth|owner|necessary|foundation\w*|variety|"
    r"recommended|preferred|primary|default|current|widely|excellent|critical|matter|crucial|"
    r"necessity|prerequisite|mature|reflection|requirement|new|small|large|solution|currency|"
    r"employer|opportunity|chance|minimum|violation|building blocks?|ones|favou?rite|change|step|"
    r"exception|default|standard|law|popular|risk|benefit)\b",
    re.IGNORECASE,
)

# What tells the kind of thing apart from others of its kind.
_DIFFERENTIA = re.compile(
    r"\b(?:that|which|who|whose|where|when|for|to|used|of|in which|by which|with|from|between|"
    r"without|held|made|given|based|designed|written|shared|describing|containing|consisting)\b"
)
# A second statement, which a definition does not need, or a preference.
_GOES_ON = re.compile(
    r", (?:and|but|so) (?:you|it|we|they|many|most|some|there|your|is|are)\b|"
    r", (?:and|but) .*\b(?:is|are|was|were|can|must|may|will)\b|"
    r" of choice\b"
)

# Who fills a role is asked in another way than what a thing is.
_PERSON = re.compile(
    r"(?:the|an?) (?:\w+ ){0,2}(?:member|person|officer|employee|manager|people)\b"
)
_FEWEST_WORDS = 3  # content words of a predicate that says more than a class

_ENTRY = re.compile(
    r"^(?P<term>[A-Z0-9a-z][^.:–—\n]{0,60}?)(?:\s+[-–—]\s+|[.:]\s+)(?P<text>\S.*)$",
    re.DOTALL,
)

# How a glossary's explanation opens: with a noun phrase, not with an order.
_EXPLANATION = re.compile(
    r"(?:A|An|The|Any|All|One|Someone|People|Those|[A-Z][\w-]+ (?:of|for|that|which|used|who))\b"
)

_NO_SUBJECT = word_set(
    "you each every all any most your no both our one another other some first second third last "
    "next above below main other only same that this"
)

# Subjects that only announce what is said of them: "The truth is", "A great example is".
_SHELLS = word_set(
    "truth reality fact alternative alternatives example examples exception trick catch answer "
    "reason reasons rule aim target goal difference advantage disadvantage benefit downside upside "
    "point idea question issue thing things guidance caveat result upshot expectation intention "
    "fallback default"
)
# What is part of something that its sentence does not name.
_PARTS = word_set("parameter argument option attribute property field flag value column")
_JUDGED = word_set("best worst great good sad easiest simplest")
_LEANS_ON = re.compile(
    r"\b(?:just|also|simply|usually|often|typically|generally|only|still|now|"
    r"itself|themselves)$"
)

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
        return screened(chunk, self._candidates(chunk))

    def _candidates(self, chunk: ChunkView) -> Iterator[Candidate]:
        for block in chunk.blocks:
            if block.kind not in ("paragraph", "item"):
                continue
            entry = _ENTRY.match(readable(block.raw))
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
        term, text = entry["term"].strip(), entry["text"]
        if text.startswith(("See ", "see ")) or not self._is_term(term):
            return
        if len(text.split()) < 4 or not text.endswith(".") or not self._explains(chunk, text):
            return
        start = block.end - len(block.raw)
        named = term.replace('"', "'")
        question = choose(
            term,
            f'What does "{named}" mean?',
            f'What is meant by "{named}"?',
            f'How is "{named}" defined?',
        )
        yield Candidate("definition", question, text, start, block.end)

    def _explains(self, chunk: ChunkView, text: str) -> bool:
        in_glossary = any(_GLOSSARY.search(name) for name in (chunk.title, *chunk.headings))
        return in_glossary and _EXPLANATION.match(text) is not None

    def _statement(self, chunk: ChunkView, sentence: Span) -> Iterator[Candidate]:
        match = _STATEMENT.match(sentence.text)
        if match is None or not self._defines(match):
            return
        subject = _as_named(match["subject"], chunk)
        question = _standing(_what(subject, match["verb"]), subject, chunk)
        if question is not None and not _leans(sentence.text):
            yield Candidate("definition", question, sentence.text, sentence.start, sentence.end)

    def _defines(self, match: re.Match[str]) -> bool:
        subject, verb, predicate = match["subject"], match["verb"], match["predicate"]
        words = subject.split()
        bare = words[1:] if words[0].lower() in ("a", "an", "the") else words
        dated = re.match(rf"(?:{MONTH}|[A-Z][a-z]{{2}}) \d", subject)
        if _announces(bare) or _LEANS_ON.search(subject):
            return False
        if dated or (is_order(words[0]) and words[1:2] and words[1].lower() in DETERMINERS):
            return False
        if not self._is_term(" ".join(bare)) or not is_noun_phrase(subject):
            return False
        if (words[0].endswith("ing") and len(words) > 1) or {
            words[0].lower(),
            bare[0].lower(),
        } & _NO_SUBJECT:
            return False
        if verb in ("is", "are"):
            if (verb == "are") != is_plural(subject):
                return False
            if not _GENUS.match(predicate) or _NO_GENUS.match(predicate):
                return False
            if not _DIFFERENTIA.search(predicate) or _is_common(bare):
                return False
            role = words[0].lower() == "the" and _PERSON.match(predicate)
            if role or _GOES_ON.search(predicate):
                return False
        return len(content_words(predicate) - content_words(subject)) >= _FEWEST_WORDS

    def _is_term(self, term: str) -> bool:
        return len(term.split()) <= self.longest_term and is_noun_phrase(term)


def _announces(words: Sequence[str]) -> bool:
    """Whether a subject names nothing: "truth", "best way", "line 2" of a listing."""
    lowered = [word.lower() for word in words]
    if not lowered or lowered[-1].isdigit() or not _JUDGED.isdisjoint(lowered):
        return True
    if lowered[-1] in _PARTS:
        return True
    return len(lowered) == 1 and lowered[0] in _SHELLS


def _leans(sentence: str) -> bool:
    return points_elsewhere(sentence) or runs_on(sentence)


def _as_named(subject: str, chunk: ChunkView) -> str:
    """Return a subject as it stands in a question; a name keeps its capital.

    A single word in the singular without an article is a name where sentences write it big,
    though commands and paths write it small ("Helm", `helm install`), and where it is the
    document's title.
    """
    single = (
        " " not in subject
        and not subject.endswith("ing")
        and not is_plural(subject)
        and subject[1:].islower()
    )
    titled = subject in (chunk.name, chunk.title)
    if single and (titled or re.search(rf"[a-z,;] {re.escape(subject)}\b", chunk.document)):
        return subject
    return in_sentence(subject, chunk.document)


def _is_common(words: list[str]) -> bool:
    """Whether a term is one everyday word, of which a document seldom says what it is."""
    return len(words) == 1 and words[0].islower() and words[0] in _EVERYDAY


_EVERYDAY = word_set(
    "name key goal purpose idea point result answer problem technology communication it work time "
    "people change value process list page text code data title number size color trust feedback"
)


def _standing(question: str, subject: str, chunk: ChunkView) -> str | None:
    """Name the document where the term means something only within it."""
    local = subject.startswith("the ") or not re.search(r"[A-Z]", subject)
    words = content_words(subject)
    if local and not (len(words) > 1 and words & content_words(chunk.name)):
        return name_document(question, chunk.name)
    return question


def _what(subject: str, verb: str = "is") -> str:
    if verb in ("means", "mean", "stands for"):
        base = "mean" if verb.startswith("mean") else "stand for"
        return f"What {'do' if is_plural(subject) else 'does'} {subject} {base}?"
    if verb == "refers to":
        return f"What does {subject} refer to?"
    if subject[:1].islower() or is_plural(subject):
        return f"What {'are' if is_plural(subject) else 'is'} {subject}?"
    return choose(
        subject, f"What is {subject}?", f"What is {subject}?", f"Explain what {subject} is."
    )
