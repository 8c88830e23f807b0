"""Keywords to passage: what does the document say about these two things?"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Literal

from pydantic import Field

from tasks.generation.base import GENERATORS, Candidate, ChunkView, RuleGenerator
from tasks.generation.grammar import base_of_gerund, in_sentence, is_noun_phrase, is_third_person
from tasks.generation.lists import render
from tasks.generation.passage import Span, plain
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
from tasks.generation.wording import points_elsewhere

# Words that make a phrase too general to ask about.
_GENERAL = word_set(
    "few several many some any more most other another same different various certain dozen "
    "number way ways example examples reason reasons case process thing things time times kind "
    "kinds type types part parts lot bit set list page section link following information "
    "question questions answer best good great better important possible available right wrong "
    "first second third last longer next now then also you your yourself we our us i my person "
    "people place something everything step steps overview introduction background summary "
    "general note notes contact contacts detail details becomes become"
)


@GENERATORS.register
class KeywordPassageGenerator(RuleGenerator):
    """Names a heading's topic, or keywords, and asks what the document says about them."""

    generator: Literal["keyword_passage"] = "keyword_passage"
    longest_answer: int = Field(100, description="Longest answer, in words.", ge=5)
    keywords: int = Field(2, description="Keywords that a question names.", ge=1, le=3)

    def generate(self, chunk: ChunkView) -> Iterator[Candidate]:
        """Yield at most one candidate: by the heading, or else by keywords."""
        found = self._by_heading(chunk) or self._by_keywords(chunk)
        if found is not None:
            yield found

    def _by_heading(self, chunk: ChunkView) -> Candidate | None:
        """Ask about the heading's topic where the chunk is its whole section."""
        blocks = chunk.blocks
        if not (chunk.first and chunk.last and blocks) or chunk.heading == chunk.title:
            return None
        if blocks[0].kind != "paragraph" or any(b.kind == "row" for b in blocks):
            return None
        if not is_topic(chunk.heading) or not blocks[-1].text.endswith((".", "!")):
            return None
        texts = [sentence.text for sentence in chunk.sentences(*{b.kind for b in blocks})]
        if any(_MARKED.match(text) or text.endswith("?") for text in texts):
            return None
        topic = in_sentence(chunk.heading, chunk.document)
        if topic.lower() in chunk.name.lower():
            return None
        span = (blocks[0].start, blocks[-1].end)
        return self._candidate(chunk, [topic], render(blocks), texts, span)

    def _by_keywords(self, chunk: ChunkView) -> Candidate | None:
        prose = [s for s in chunk.sentences("paragraph") if _is_prose(s.text)]
        words = top_keywords(chunk, self.keywords) if len(prose) > 1 else []
        if len(words) < self.keywords or not any(" " in word for word in words):
            return None
        chosen = [s for s in prose if any(_mentions(s.text, word) for word in words)]
        if not all(any(_mentions(s.text, word) for s in chosen) for word in words):
            return None
        if len(chosen) > 3 or not _hangs_together(chosen):
            return None
        texts = [sentence.text for sentence in chosen]
        return self._candidate(
            chunk, words, " ".join(texts), texts, (chosen[0].start, chosen[-1].end)
        )

    def _candidate(
        self,
        chunk: ChunkView,
        topics: Sequence[str],
        answer: str,
        texts: Sequence[str],
        span: tuple[int, int],
    ) -> Candidate | None:
        if not 8 <= len(answer.split()) <= self.longest_answer or '"' in chunk.name:
            return None
        if points_elsewhere(texts[0]) or any(_POINTS_AT_PAGE.search(text) for text in texts):
            return None
        if not 3 <= len(chunk.name) <= 80:
            return None
        question = f'What does "{chunk.name}" say about {" and ".join(topics)}?'
        return Candidate("keyword", question, answer, *span)


def is_topic(heading: str) -> bool:
    """Whether a heading names a thing or an activity: no order, no question, nobody's."""
    words = heading.split()
    if not is_noun_phrase(heading, longest=7) or is_order(heading) or '"' in heading:
        return False
    if words[0].lower().endswith("ing"):
        return is_order(base_of_gerund(words[0])) and len(words) > 1
    return not set(heading.lower().split()) & _GENERAL


_MARKED = re.compile(r"[QA]\d?:")
_POINTS_AT_PAGE = re.compile(
    r"\b(?:below|above|this (?:section|page|guide|document)|following|see the|refer to)\b",
    re.IGNORECASE,
)


def _hangs_together(chosen: Sequence[Span]) -> bool:
    """Whether no sentence leans on one that is left out between two chosen ones."""
    return not any(b.start - a.end > 3 and points_elsewhere(b.text) for a, b in pairwise(chosen))


def top_keywords(chunk: ChunkView, count: int) -> list[str]:
    """Return the noun phrases that set a chunk apart within its own document.

    A phrase must come twice in the document: what is said once in passing is no topic.

    TF-IDF over the chunks of the document alone: with statistics of the whole corpus, one
    changed document would change the questions asked about all others.
    """
    weights = _weights(chunk.siblings)[chunk.siblings.index(chunk.text)]
    recurring = [p for p in weights if len(_mentions_in(chunk.document or chunk.text, p)) > 1]
    ranked = sorted(recurring, key=lambda p: (-weights[p] * len(p.split()), p))
    return _distinct(ranked, count)


@lru_cache(maxsize=4)
def _weights(texts: tuple[str, ...]) -> list[dict[str, float]]:
    """Return each text's noun phrases with their TF-IDF weight among the texts."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    phrases = [list(noun_phrases(plain(text))) for text in texts]
    if not any(phrases):
        return [{} for _ in texts]
    vectorizer = TfidfVectorizer(analyzer=_unchanged, sublinear_tf=True)
    matrix = vectorizer.fit_transform(phrases)
    names = vectorizer.get_feature_names_out()
    rows = [matrix[position].tocoo() for position in range(len(texts))]
    return [dict(zip(map(str, names[row.col]), map(float, row.data), strict=True)) for row in rows]


def _unchanged(phrases: list[str]) -> list[str]:
    return phrases


# A determiner, one to three words, and a word that ends the phrase.
_PHRASE = re.compile(
    r"\b(?:[Aa]n?|[Tt]he|[Ee]ach|[Ee]very|[Yy]our|no|of|for|with)\s+"
    r"(?P<phrase>[a-z][a-z-]{2,}(?: [a-z][a-z-]{2,}){0,2})(?=(?P<end>[.,;:)]| \w+))"
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


def _distinct(names: Sequence[str], count: int) -> list[str]:
    """Take the best terms that share no word."""
    chosen: list[str] = []
    for name in names:
        if not any(set(name.split()) & set(other.split()) for other in chosen):
            chosen.append(name)
    return chosen[:count]


def _mentions_in(text: str, term: str) -> list[str]:
    return re.findall(rf"\b{re.escape(term)}\b", text, re.IGNORECASE)


def _mentions(text: str, term: str) -> bool:
    return bool(_mentions_in(text, term))


def _is_prose(text: str) -> bool:
    return text.endswith((".", "!")) and len(text.split()) >= 4 and not _MARKED.match(text)
