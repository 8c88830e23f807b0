"""Keyword to passage: what does the document say about a heading's topic, or a term?"""

import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from typing import Literal

from pydantic import Field

from tasks.generation.base import GENERATORS, Candidate, ChunkView, RuleGenerator
from tasks.generation.generators.heading import is_quotable
from tasks.generation.grammar import (
    base_of_gerund,
    is_noun_phrase,
    is_plural,
    is_third_person,
)
from tasks.generation.lists import is_link, render
from tasks.generation.passage import Block, plain
from tasks.generation.screen import screened
from tasks.generation.sections import (
    is_whole_section,
    names_subject,
    quoted,
    spoken,
)
from tasks.generation.vocabulary import (
    AUXILIARIES,
    CLAUSE_WORDS,
    DETERMINERS,
    IMPERATIVES,
    NUMBER_WORDS,
    PREPOSITIONS,
    is_order,
    word_set,
)
from tasks.generation.wording import choose, content_words, points_elsewhere

# Words that make a phrase too general to ask about.
_GENERAL = word_set(
    "few several many some any more most other another same different various certain dozen "
    "number way ways example examples reason reasons case process thing things time times kind "
    "kinds type types part parts lot bit set list page section link following information "
    "question questions answer best good great better important possible available right wrong "
    "first second third last longer next now then also you your yourself we our us i my person "
    "people place something everything step steps overview introduction background summary "
    "general note notes contact contacts detail details becomes become existing current new entire "
    "whole own specific particular single additional actual real full friend"
)


# Endings and words of nouns that need no article.
_UNCOUNTED = re.compile(
    r"(?:tion|ment|ance|ence|ity|ship|age|ware|ness|ism|acy|sis|ure|ics|ty|sion|work|time|help|"
    r"leave|access|training|equipment|advice|research|support|design|pay|data|food|news|staff|health|travel|"
    r"money|transit|parking|privacy|music|email|feedback|style|content|code)$"
)
_MARKED = re.compile(r"[QA]\d?:")
_FEWEST_WORDS = 12
_OPENING = 6  # words of a sentence by which one sees what it is about


@GENERATORS.register
class KeywordPassageGenerator(RuleGenerator):
    """Names a heading's topic, or a term, and asks what the document says about it."""

    generator: Literal["keyword_passage"] = "keyword_passage"
    longest_answer: int = Field(120, description="Longest answer, in words.", ge=5)

    def generate(self, chunk: ChunkView) -> Iterator[Candidate]:
        """Yield at most one candidate: by the heading, or else by a term."""
        found = next(screened(chunk, self._by_heading(chunk)), None)
        found = found or next(screened(chunk, self._by_term(chunk)), None)
        if found is not None:
            yield found

    def _by_heading(self, chunk: ChunkView) -> Iterator[Candidate]:
        """Ask about the heading's topic where the chunk is its whole section."""
        blocks = chunk.blocks
        if not (blocks and is_whole_section(chunk) and is_quotable(chunk)) or not _is_told(chunk):
            return
        opening = next(chunk.sentences("paragraph")).text
        answer = render(blocks)
        if self._fits(answer, opening, chunk):
            question = _ask_heading(chunk)
            yield Candidate("keyword", question, answer, blocks[0].start, blocks[-1].end)

    def _by_term(self, chunk: ChunkView) -> Iterator[Candidate]:
        """Ask about a term that recurs in neighbouring paragraphs and stands nowhere else.

        What is said there is then all that the document says about it.
        """
        for term in terms(chunk):
            places = [n for n, block in enumerate(chunk.blocks) if _count(block.text, term)]
            blocks = chunk.blocks[places[0] : places[-1] + 1] if places else ()
            answer = "\n".join(block.text for block in blocks)
            together = len(blocks) == len(places) and all(map(_is_prose, blocks))
            if together and _opens_with(answer, term) and self._fits(answer, answer, chunk):
                question = _ask_about(chunk.name, _with_article(term, answer))
                yield Candidate("keyword", question, answer, blocks[0].start, blocks[-1].end)

    def _fits(self, answer: str, opening: str, chunk: ChunkView) -> bool:
        named = 3 <= len(chunk.name) <= 80 and '"' not in chunk.name and chunk.name[-1] != "?"
        length = len(answer.split())
        return named and _FEWEST_WORDS <= length <= self.longest_answer and _opens_well(opening)


def _opens_well(sentence: str) -> bool:
    """Whether a first sentence leans on nothing before it, and is one."""
    first = re.split(r"(?<=[.!?])\s", sentence)[0]
    word = first.split(" ", 1)[0].strip(",")
    if word in ("Yes", "No"):
        return False
    verb = word.endswith("s") and is_order(word[:-1])
    begins = first[:1].isalnum() and not first[0].islower() and not verb and first[-1] != "?"
    return begins and not points_elsewhere(first)


def _opens_with(text: str, term: str) -> bool:
    """Whether the first sentence of a text speaks of a term: the text is then about it."""
    first = re.split(r"(?<=[.!?])\s", text)[0]
    opening = " ".join(first.split()[:_OPENING])
    return _count(opening, term) > 0


def _is_told(chunk: ChunkView) -> bool:
    """Whether a section is text that begins and ends as such, with or without lists in it."""
    blocks = chunk.blocks
    first, last = blocks[0], blocks[-1]
    if first.kind != "paragraph" or {b.kind for b in blocks} & {"row", "quote", "heading"}:
        return False
    if first.text.endswith(":") and all(b.kind != "paragraph" for b in blocks[1:]):
        return False  # a list with its opening: asked for as one
    texts = [block.text for block in blocks]
    whole = not any(_MARKED.match(text) or text.endswith("?") for text in texts)
    prose = all(
        t.endswith((".", "!", ":", ")"))
        for t, b in zip(texts, blocks, strict=True)
        if b.kind == "paragraph"
    )
    nested = any(block.indent for block in blocks)
    linked = sum(is_link(block.raw, chunk.links) for block in blocks)
    shelf = linked > sum(block.kind == "paragraph" for block in blocks)
    return whole and prose and not nested and not shelf and not last.text.endswith(":")


def _ask_heading(chunk: ChunkView) -> str:
    topic = spoken(chunk.heading, chunk.document)
    shared = content_words(topic) & content_words(chunk.text)
    plain_topic = bool(shared) and is_topic(topic) and len(topic.split()) <= 6 and _is_said(topic)
    if plain_topic and _needs_no_article(topic):
        return _ask_about(chunk.name, topic)
    name = quoted(chunk.heading)
    return choose(
        name,
        f'What does "{chunk.name}" say under "{name}"?',
        f'According to "{chunk.name}", what is said under "{name}"?',
    )


def _ask_about(document: str, topic: str) -> str:
    return choose(
        topic,
        f'What does "{document}" say about {topic}?',
        f'What is said about {topic} in "{document}"?',
        f'According to "{document}", what is there to know about {topic}?',
    )


def _is_said(topic: str) -> bool:
    """Whether no title case is left in a topic that begins small."""
    return topic[:1].isupper() or not re.search(r"\s[A-Z][a-z]{2,}", topic)


def is_topic(heading: str) -> bool:
    """Whether a heading names a thing or an activity: no order, no question, nobody's."""
    words = heading.split()
    if not is_noun_phrase(heading, longest=7) or is_order(heading) or '"' in heading:
        return False
    if words[0].lower().endswith("ly"):
        return False
    if words[0].lower().endswith("ing"):
        return is_order(base_of_gerund(words[0])) and len(words) > 1
    return not set(heading.lower().split()) & _GENERAL and names_subject(heading)


def _needs_no_article(topic: str) -> bool:
    if " and " in topic:
        return all(map(_needs_no_article, topic.split(" and ")))
    words = topic.split()
    head = re.split(rf" (?:{'|'.join(sorted(PREPOSITIONS))}) ", topic)[0]
    gerund = words[0].endswith("ing") and len(words) > 1
    return gerund or is_plural(topic) or _UNCOUNTED.search(head.lower()) is not None


@lru_cache(maxsize=2)
def _plain_document(document: str) -> str:
    return plain(document)


def terms(chunk: ChunkView) -> list[str]:
    """Return the noun phrases that recur in a chunk and stand nowhere else in its document.

    The longest and commonest come first. A phrase must come twice: what is said once in
    passing is no topic.
    """
    text = plain(chunk.text)
    found = Counter(noun_phrases(text))
    whole = _plain_document(chunk.document) if chunk.document else text
    heading = f"{chunk.heading} {chunk.name}".lower()
    own = [
        phrase
        for phrase in found
        if " " in phrase
        and _count(text, phrase) > 1
        and _count(whole, phrase) == _count(text, phrase)
        and phrase not in heading
    ]
    return sorted(own, key=lambda p: (-len(p.split()), -_count(text, p), p))


# A determiner, one to three words, and a word that ends the phrase.
_PHRASE = re.compile(
    r"\b(?=(?:[Aa]n?|[Tt]he|[Ee]ach|[Ee]very|[Yy]our|no|of|for|with)\s+"
    r"(?P<phrase>[a-z][a-z-]{2,}(?: [a-z][a-z-]{2,}){0,2})(?P<end>[.,;:)]| \w+))"
)


def noun_phrases(text: str) -> Iterator[str]:
    """Yield the plain noun phrases of a text: a determiner before, a function word after."""
    ends = PREPOSITIONS | AUXILIARIES | CLAUSE_WORDS | {"and", "or"}
    for match in _PHRASE.finditer(text):
        words = match["phrase"].split()
        cut = next((n for n, word in enumerate(words) if word in ends), len(words))
        closed = cut < len(words) or match["end"].strip() in ends | set(".,;:)")
        phrase = " ".join(words[:cut])
        if closed and _is_keyword(phrase):
            yield phrase


def _is_keyword(phrase: str) -> bool:
    """Whether a phrase names a thing that can be asked about: no verb, nothing general."""
    words = phrase.split()
    if not is_noun_phrase(phrase) or words[-1].endswith(("ly", "ing", "ed")):
        return False
    verbs = any(word in IMPERATIVES or is_third_person(word) for word in words)
    vague = set(words) & (_GENERAL | DETERMINERS | NUMBER_WORDS | {"does", "do", "did"})
    return not verbs and not vague and (len(words) > 1 or len(phrase) > 4)


def _count(text: str, term: str) -> int:
    if term not in text.lower():
        return 0
    return len(re.findall(rf"(?<![\w-]){re.escape(term)}s?(?![\w-])", text, re.IGNORECASE))


def _with_article(term: str, text: str) -> str:
    if is_plural(term):
        return term
    match = re.search(rf"\b(the|an?) {re.escape(term)}\b", text, re.IGNORECASE)
    return f"{match[1].lower()} {term}" if match else term


def _is_prose(block: Block) -> bool:
    text = block.text
    return block.kind == "paragraph" and text.endswith((".", "!")) and not _MARKED.match(text)
